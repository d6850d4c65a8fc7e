#pragma once

#include "engine/media_engine.hpp"

#include <QWidget>

class QComboBox;
class QFormLayout;
class QLabel;
class QPushButton;

namespace vigil::ui {

/// What the model is, what became of its iRMBs, and what really runs it.
class ModelPanel : public QWidget {
    Q_OBJECT

public:
    explicit ModelPanel(QWidget* parent = nullptr);

    void setModel(const std::shared_ptr<const ModelFacts>& facts);
    void setLoading(const QString& path);
    /// Greys what this machine cannot do, with the reason.
    void setCuda(const CudaProbe& cuda);
    void setChoice(const QString& backend, const QString& precision, const QString& engine);

signals:
    void loadWanted();
    void choiceChanged(const QString& backend, const QString& precision, const QString& engine);

private:
    void addFact(const QString& name, const QString& value, const QString& object_name = {});
    void showFacts(const ModelFacts& facts);
    void updateChoices();
    void updateReasons();

    QLabel* title_;
    QFormLayout* form_; ///< what the model is, then what can be chosen
    int fact_count_ = 0;
    QComboBox* backend_;
    QComboBox* precision_;
    QComboBox* engine_;
    QLabel* reasons_;
    QPushButton* load_;
    CudaProbe cuda_;
};

} // namespace vigil::ui
