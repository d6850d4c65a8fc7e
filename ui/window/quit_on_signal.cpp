#include "quit_on_signal.hpp"

#include <QApplication>
#include <QSocketNotifier>
#include <QWidget>
#include <csignal>
#include <sys/eventfd.h>
#include <unistd.h>

namespace vigil::ui {
namespace {

int event_descriptor = -1;

extern "C" void noteSignal(int) {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(event_descriptor, &one, sizeof one);
}

/// Not closeAllWindows(): it closes floating panels and dialogs as if the user had, before the
/// window they belong to stores where they are.
void closeMainWindows() {
    for (QWidget* widget : QApplication::topLevelWidgets())
        if (!widget->parentWidget())
            widget->close();
}

} // namespace

QuitOnSignal::QuitOnSignal(QObject* parent) : QObject(parent) {
    event_descriptor = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    auto* notifier = new QSocketNotifier(event_descriptor, QSocketNotifier::Read, this);
    connect(notifier, &QSocketNotifier::activated, this, [notifier] {
        notifier->setEnabled(false);
        closeMainWindows();
        QApplication::quit();
    });
    std::signal(SIGINT, noteSignal);
    std::signal(SIGTERM, noteSignal);
}

QuitOnSignal::~QuitOnSignal() {
    std::signal(SIGINT, SIG_DFL);
    std::signal(SIGTERM, SIG_DFL);
    ::close(event_descriptor);
}

} // namespace vigil::ui
