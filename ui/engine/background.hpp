#pragma once

#include "engine_text.hpp"

#include <opencv2/core.hpp>

#include <QObject>
#include <QThreadPool>
#include <memory>

namespace vigil::ui {

/// What a job gave: a value, or what went wrong.
template <typename T>
struct Outcome {
    T value{};
    QString error; ///< empty: it went well
};

/// Jobs beside the thread of the window, which hears of them in its own time.
class Background {
public:
    Background() { pool_.setMaxThreadCount(most_jobs); }
    ~Background() { pool_.waitForDone(); }

    /// Runs `work` in another thread and then `done` with its outcome in the thread of `receiver`,
    /// unless that is gone by then.
    template <typename Work, typename Done>
    void run(QObject* receiver, Work work, Done done) {
        using T = decltype(work());
        pool_.start([receiver, work = std::move(work), done = std::move(done)]() mutable {
            auto outcome = std::make_shared<Outcome<T>>(attempt<T>(work));
            QMetaObject::invokeMethod(
                receiver, [outcome, done = std::move(done)]() mutable { done(*outcome); },
                Qt::QueuedConnection);
        });
    }

    /// Lets go of something whose destruction may take a while.
    template <typename T>
    void dispose(std::shared_ptr<T> thing) {
        if (thing)
            pool_.start([thing = std::move(thing)]() mutable { thing.reset(); });
    }

    void wait() { pool_.waitForDone(); }

private:
    /// Jobs mostly wait for the network or a disk: one that hangs must not hold up the others.
    static constexpr int most_jobs = 32;

    template <typename T, typename Work>
    static Outcome<T> attempt(Work& work) {
        try {
            return {work(), {}};
        } catch (const cv::Exception& error) {
            return {{}, engineText(error.err)};
        } catch (const std::exception& error) {
            return {{}, engineText(error.what())};
        }
    }

    QThreadPool pool_;
};

} // namespace vigil::ui
