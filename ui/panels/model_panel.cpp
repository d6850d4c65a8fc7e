#include "model_panel.hpp"

#include "engine/engine_text.hpp"
#include "engine/text.hpp"

#include <irmb_dnn/acceleration.hpp>

#include <QComboBox>
#include <QFileInfo>
#include <QFormLayout>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QStandardItemModel>
#include <QVBoxLayout>

namespace vigil::ui {
namespace {

QString headText(const irmb::ModelInfo& info) {
    switch (info.head) {
    case irmb::HeadKind::RawXyxy:
        if (info.tail_cut)
            return ModelPanel::tr("YOLOv10, its NMS-free tail runs outside the network");
        return info.nms_iou > 0 && info.nms_iou < 1
                   ? ModelPanel::tr("YOLOv10, one-to-many scores, with NMS")
                   : ModelPanel::tr("YOLOv10, one-to-one head");
    case irmb::HeadKind::RawCxcywh:
        return ModelPanel::tr("YOLOv8 style, with NMS");
    case irmb::HeadKind::EndToEnd:
        return ModelPanel::tr("YOLOv10, end to end");
    case irmb::HeadKind::None:
        break;
    }
    return ModelPanel::tr("unknown");
}

QString blocksText(const irmb::FusionReport& report) {
    if (report.blocks.empty())
        return ModelPanel::tr("none in this model");
    QStringList parts;
    if (report.whole() > 0)
        parts << ModelPanel::tr("%n fused whole", nullptr, report.whole());
    if (report.core() > 0)
        parts << ModelPanel::tr("%n with fused attention", nullptr, report.core());
    if (report.unfused() > 0)
        parts << ModelPanel::tr("%n run as standard operators", nullptr, report.unfused());
    return parts.join(QStringLiteral(", "));
}

/// Why blocks were not fused, one a line.
QString reasonsText(const irmb::FusionReport& report) {
    QStringList lines;
    for (const irmb::BlockReport& block : report.blocks)
        if (!block.reason.empty())
            lines << QStringLiteral("%1: %2").arg(fromStd(block.name), engineText(block.reason));
    for (const std::string& note : report.notes)
        lines << engineText(note);
    return lines.join(QLatin1Char('\n'));
}

QString classesText(const irmb::ModelInfo& info) {
    if (info.num_classes == 0)
        return ModelPanel::tr("unknown");
    return info.class_names.empty() ? ModelPanel::tr("%n, without names", nullptr, info.num_classes)
                                    : QString::number(info.num_classes);
}

QString fallbackText(const std::vector<std::string>& layers) {
    if (layers.empty())
        return ModelPanel::tr("none");
    QStringList names;
    for (const std::string& layer : layers)
        names << fromStd(layer);
    return ModelPanel::tr("%n layer(s): %1", nullptr, int(layers.size()))
        .arg(names.join(QStringLiteral(", ")));
}

QString accelerationText(const irmb::AccelerationReport& report) {
    if (!report.reason.empty())
        return ModelPanel::tr("nothing: %1").arg(engineText(report.reason));
    if (report.regions == 0)
        return ModelPanel::tr("nothing");
    return ModelPanel::tr("%1 of %2 operators, by Vigil's kernels and %3")
        .arg(report.accelerated)
        .arg(report.operators)
        .arg(fromStd(report.library));
}

void setItem(QComboBox* box, const QString& value, bool usable, const QString& reason) {
    auto* items = qobject_cast<QStandardItemModel*>(box->model());
    QStandardItem* item = items->item(box->findData(value));
    item->setEnabled(usable);
    item->setToolTip(usable ? QString() : reason);
}

void select(QComboBox* box, const QString& value) {
    box->setCurrentIndex(std::max(0, box->findData(value)));
}

} // namespace

ModelPanel::ModelPanel(QWidget* parent)
    : QWidget(parent),
      title_(new QLabel(this)),
      form_(new QFormLayout),
      backend_(new QComboBox(this)),
      precision_(new QComboBox(this)),
      engine_(new QComboBox(this)),
      reasons_(new QLabel(this)),
      load_(new QPushButton(tr("Load model…"), this)) {
    title_->setObjectName(QStringLiteral("modelName"));
    title_->setWordWrap(true);
    QFont bold = title_->font();
    bold.setBold(true);
    title_->setFont(bold);
    backend_->setObjectName(QStringLiteral("backend"));
    backend_->addItem(tr("Automatic"), QStringLiteral("auto"));
    backend_->addItem(tr("CPU"), QStringLiteral("cpu"));
    backend_->addItem(tr("CUDA"), QStringLiteral("cuda"));
    precision_->setObjectName(QStringLiteral("precision"));
    precision_->addItem(tr("Automatic"), QStringLiteral("auto"));
    for (const char* name : {"fp32", "fp16", "bf16"})
        precision_->addItem(QString::fromLatin1(name).toUpper(), QString::fromLatin1(name));
    reasons_->setObjectName(QStringLiteral("muted"));
    reasons_->setWordWrap(true);
    engine_->setObjectName(QStringLiteral("engine"));
    engine_->addItem(tr("Automatic"), QStringLiteral("auto"));
    engine_->addItem(tr("New"), QStringLiteral("new"));
    engine_->addItem(tr("Classic"), QStringLiteral("classic"));
    load_->setObjectName(QStringLiteral("loadModel"));

    form_->setRowWrapPolicy(QFormLayout::DontWrapRows);
    form_->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    form_->setVerticalSpacing(4);
    form_->addRow(tr("Runs on"), backend_);
    form_->addRow(tr("Arithmetic"), precision_);
    form_->addRow(tr("OpenCV engine"), engine_);
    auto* content = new QWidget(this);
    auto* column = new QVBoxLayout(content);
    column->setContentsMargins(10, 8, 10, 8);
    column->setSpacing(8);
    column->addWidget(title_);
    column->addLayout(form_);
    column->addWidget(reasons_);
    column->addWidget(load_);
    column->addStretch(1);
    auto* scroll = new QScrollArea(this);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setWidget(content);
    auto* outer = new QVBoxLayout(this);
    outer->setContentsMargins(0, 0, 0, 0);
    outer->addWidget(scroll);

    connect(load_, &QPushButton::clicked, this, &ModelPanel::loadWanted);
    for (QComboBox* box : {backend_, precision_, engine_})
        connect(box, &QComboBox::activated, this, [this] {
            updateChoices();
            emit choiceChanged(backend_->currentData().toString(),
                               precision_->currentData().toString(),
                               engine_->currentData().toString());
        });
    cuda_.reason = tr("not asked yet").toStdString();
    updateChoices();
    setModel(nullptr);
}

void ModelPanel::addFact(const QString& name, const QString& value, const QString& object_name) {
    auto* label = new QLabel(value, this);
    label->setWordWrap(true);
    label->setTextFormat(Qt::PlainText);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    label->setObjectName(object_name);
    auto* caption = new QLabel(name, this);
    caption->setObjectName(QStringLiteral("muted"));
    caption->setAlignment(Qt::AlignTop);
    form_->insertRow(fact_count_++, caption, label);
}

void ModelPanel::setModel(const std::shared_ptr<const ModelFacts>& facts) {
    while (fact_count_ > 0)
        form_->removeRow(--fact_count_);
    if (!facts) {
        title_->setText(tr("No model is loaded"));
        title_->setToolTip({});
        return;
    }
    const QString path = fromStd(facts->info.path);
    title_->setText(QFileInfo(path).fileName());
    title_->setToolTip(path);
    showFacts(*facts);
}

void ModelPanel::showFacts(const ModelFacts& facts) {
    const irmb::ModelInfo& info = facts.info;
    addFact(tr("Kind"), headText(info));
    addFact(tr("Input"), sizeText(info.input_size.width, info.input_size.height));
    addFact(tr("Classes"), classesText(info));
    addFact(tr("iRMB blocks"), blocksText(facts.report), QStringLiteral("blocks"));
    if (const QString reasons = reasonsText(facts.report); !reasons.isEmpty())
        addFact(QString(), reasons);
    addFact(tr("Really runs on"),
            tr("%1, %2, %3 engine of OpenCV %4")
                .arg(facts.backend.name == "cuda" ? tr("CUDA") : tr("CPU"),
                     fromStd(facts.backend.precision).toUpper(),
                     facts.engine == "new" ? tr("new") : tr("classic"),
                     fromStd(cv::getVersionString())),
            QStringLiteral("runtime"));
    if (facts.backend.name == "cuda")
        addFact(tr("Handed to the CPU"), fallbackText(facts.fallback_layers));
    else
        addFact(tr("Accelerated"), accelerationText(facts.acceleration),
                QStringLiteral("acceleration"));
    addFact(tr("File"), tr("%1, opset %2").arg(bytesText(facts.file_bytes)).arg(info.opset));
    if (!info.producer.empty())
        addFact(tr("Written by"), fromStd(info.producer));
}

void ModelPanel::setLoading(const QString& path) {
    title_->setText(tr("Loading %1 …").arg(QFileInfo(path).fileName()));
}

void ModelPanel::setCuda(const CudaProbe& cuda) {
    cuda_ = cuda;
    updateChoices();
}

void ModelPanel::setChoice(const QString& backend, const QString& precision,
                           const QString& engine) {
    select(backend_, backend);
    select(precision_, precision);
    select(engine_, engine);
    updateChoices();
}

void ModelPanel::updateChoices() {
    const bool cuda_wanted = backend_->currentData() == QLatin1String("cuda");
    const bool cuda_possible = cuda_.usable && backend_->currentData() != QLatin1String("cpu");
    setItem(backend_, QStringLiteral("cuda"), cuda_.usable, engineText(cuda_.reason));
    setItem(precision_, QStringLiteral("fp16"), cuda_possible, tr("only CUDA computes in FP16"));
    const irmb::AccelerationSupport support = irmb::accelerationSupport();
    setItem(precision_, QStringLiteral("bf16"), support.bfloat16 && !cuda_possible,
            cuda_possible ? tr("only the CPU computes in BF16") : engineText(support.reason));
    const bool has_new = CV_VERSION_MAJOR >= 5;
    setItem(engine_, QStringLiteral("new"), has_new && !cuda_wanted,
            has_new ? tr("the new engine runs on the CPU only")
                    : tr("OpenCV has it from version 5 on"));
    updateReasons();
}

/// Why some choices are grey, one a line.
void ModelPanel::updateReasons() {
    QStringList lines;
    for (const QComboBox* box : {backend_, precision_, engine_})
        for (int i = 0; i < box->count(); ++i)
            if (const QString reason = box->itemData(i, Qt::ToolTipRole).toString();
                !reason.isEmpty())
                lines << tr("%1: %2").arg(box->itemText(i), reason);
    reasons_->setText(lines.join(QLatin1Char('\n')));
    reasons_->setVisible(!lines.isEmpty());
}

} // namespace vigil::ui
