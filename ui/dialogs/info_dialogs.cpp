#include "info_dialogs.hpp"

#include "detect/backend.hpp"
#include "detect/version.hpp"
#include "engine/engine_text.hpp"
#include "engine/text.hpp"
#include "window/key_text.hpp"

#include <opencv2/core/utility.hpp>
#include <opencv2/core/version.hpp>

#include <QAction>
#include <QCoreApplication>
#include <QDialogButtonBox>
#include <QFormLayout>
#include <QGridLayout>
#include <QGroupBox>
#include <QIcon>
#include <QLabel>
#include <QVBoxLayout>

namespace vigil::ui {

AboutDialog::AboutDialog(QWidget* parent) : QDialog(parent), facts_(new QFormLayout) {
    setWindowTitle(tr("About Vigil"));
    constexpr int logo_side = 64;
    auto* logo = new QLabel(this);
    logo->setPixmap(QIcon(QStringLiteral(":/icons/vigil.svg"))
                        .pixmap(QSize(logo_side, logo_side), devicePixelRatioF()));
    auto* text = new QLabel(
        tr("<h2>Vigil</h2><p>Finds objects in videos, cameras and streams with YOLOv10 models and "
           "their iRMB blocks, on OpenCV alone.</p><p>Licence: Apache-2.0. Models have licences of "
           "their own.</p>"),
        this);
    text->setWordWrap(true);
    auto* head = new QHBoxLayout;
    head->setSpacing(16);
    head->addWidget(logo, 0, Qt::AlignTop);
    head->addWidget(text, 1);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close, this);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    auto* column = new QVBoxLayout(this);
    column->setSpacing(14);
    column->addLayout(head);
    column->addLayout(facts_);
    column->addStretch(1);
    column->addWidget(buttons);
    addFacts();
    fitHeight();
}

void AboutDialog::addFacts() {
    facts_->setHorizontalSpacing(16);
    facts_->setVerticalSpacing(4);
    facts_->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    const QString opencv = fromStd(cv::getVersionString());
    const QString opencv_built = QStringLiteral(CV_VERSION);
    QStringList features;
    for (const std::string& feature : cpuFeatures())
        features << fromStd(feature);
    addFact(tr("Version"), QCoreApplication::applicationVersion());
    addFact(
        tr("Built with"),
        (isOptimised() ? tr("%1, optimised") : tr("%1, with assertions")).arg(fromStd(compiler())));
    addFact(QStringLiteral("OpenCV"),
            opencv == opencv_built ? opencv : tr("%1, built with %2").arg(opencv, opencv_built));
    addFact(tr("OpenCV engines"), CV_VERSION_MAJOR >= 5 ? tr("new and classic") : tr("classic"));
    cuda_ = addFact(QStringLiteral("CUDA"), QStringLiteral("…"));
    addFact(tr("Processor"), features.join(QLatin1Char(' ')));
    addFact(QStringLiteral("Qt"), QString::fromLatin1(qVersion()));
}

QLabel* AboutDialog::addFact(const QString& name, const QString& value) {
    auto* caption = new QLabel(name, this);
    caption->setObjectName(QStringLiteral("muted"));
    caption->setAlignment(Qt::AlignTop);
    auto* label = new QLabel(value, this);
    label->setTextFormat(Qt::PlainText);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    label->setWordWrap(true);
    facts_->addRow(caption, label);
    return label;
}

void AboutDialog::setCuda(const CudaProbe& cuda) {
    QStringList devices;
    for (const std::string& device : cuda.devices)
        devices << fromStd(device);
    cuda_->setText(cuda.usable ? devices.join(QStringLiteral(", "))
                               : tr("not usable: %1").arg(engineText(cuda.reason)));
    fitHeight();
}

/// Qt proposes a height for narrower texts.
void AboutDialog::fitHeight() {
    constexpr int usual_width = 520;
    layout()->activate(); // a changed text reaches the layouts inside this one only then
    resize(usual_width, layout()->totalHeightForWidth(usual_width));
}

ShortcutSheet::ShortcutSheet(const QList<Group>& groups, QWidget* parent) : QDialog(parent) {
    setWindowTitle(tr("Keyboard and mouse"));
    auto* columns = new QHBoxLayout;
    columns->setSpacing(16);
    for (const Group& group : groups) {
        auto* box = new QGroupBox(group.title, this);
        auto* grid = new QGridLayout(box);
        grid->setHorizontalSpacing(18);
        int row = 0;
        for (const QAction* action : group.actions) {
            if (action->shortcut().isEmpty())
                continue;
            auto* keys = new QLabel(keyText(action->shortcut()), box);
            QFont bold = keys->font();
            bold.setBold(true);
            keys->setFont(bold);
            grid->addWidget(keys, row, 0);
            grid->addWidget(new QLabel(withoutMnemonic(action->text()), box), row++, 1);
        }
        grid->setRowStretch(row, 1);
        columns->addWidget(box);
    }
    auto* mouse =
        new QLabel(tr("Wheel: zoom · Drag: move the zoomed picture · Double click: full screen\n"
                      "Hover over a box: its details · Click a class: only it"),
                   this);
    mouse->setWordWrap(true);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close, this);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    auto* column = new QVBoxLayout(this);
    column->setSpacing(12);
    column->addLayout(columns);
    column->addWidget(mouse);
    column->addWidget(buttons);
}

} // namespace vigil::ui
