#include "source_dialogs.hpp"

#include "engine/text.hpp"

#include <QComboBox>
#include <QDialogButtonBox>
#include <QFormLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QVBoxLayout>

namespace vigil::ui {

CameraDialog::CameraDialog(QWidget* parent)
    : QDialog(parent),
      camera_(new QComboBox(this)),
      size_(new QComboBox(this)),
      hint_(new QLabel(tr("Looking for cameras …"), this)) {
    setWindowTitle(tr("Open camera"));
    camera_->setObjectName(QStringLiteral("camera"));
    size_->setObjectName(QStringLiteral("cameraSize"));
    hint_->setObjectName(QStringLiteral("muted"));
    hint_->setWordWrap(true);
    auto* buttons = new QDialogButtonBox(this);
    open_ = buttons->addButton(QDialogButtonBox::Open);
    buttons->addButton(QDialogButtonBox::Cancel);
    auto* refresh = buttons->addButton(tr("Look again"), QDialogButtonBox::ActionRole);
    auto* form = new QFormLayout;
    form->addRow(tr("Camera"), camera_);
    form->addRow(tr("Resolution"), size_);
    auto* column = new QVBoxLayout(this);
    column->addLayout(form);
    column->addWidget(hint_);
    column->addStretch(1);
    column->addWidget(buttons);
    setMinimumWidth(420);
    connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    connect(refresh, &QPushButton::clicked, this, &CameraDialog::refreshWanted);
    connect(camera_, &QComboBox::currentIndexChanged, this, &CameraDialog::showSizes);
    open_->setEnabled(false);
}

void CameraDialog::setCameras(const std::vector<Camera>& cameras) {
    cameras_ = cameras;
    camera_->clear();
    for (const Camera& camera : cameras_)
        camera_->addItem(
            QStringLiteral("%1 (%2)").arg(fromStd(camera.name), fromStd(camera.device)));
    showSizes();
    open_->setEnabled(!cameras_.empty());
    camera_->setEnabled(!cameras_.empty());
    size_->setEnabled(!cameras_.empty());
    hint_->setText(cameras_.empty()
                       ? tr("No camera was found. Plug one in and look again; if it is "
                            "plugged in, your user may need to be in the group "
                            "“video”.")
                       : QString());
    adjustSize();
}

void CameraDialog::showSizes() {
    size_->clear();
    size_->addItem(tr("As the camera likes"), QSize());
    const auto index = std::size_t(camera_->currentIndex());
    if (index < cameras_.size())
        for (const cv::Size& size : cameras_[index].sizes)
            size_->addItem(sizeText(size.width, size.height), QSize(size.width, size.height));
}

SourceRequest CameraDialog::request() const {
    SourceRequest request;
    const auto index = std::size_t(camera_->currentIndex());
    if (index < cameras_.size())
        request.spec = cameras_[index].device;
    const QSize size = size_->currentData().toSize();
    if (!size.isEmpty())
        request.live.camera_size = {size.width(), size.height()};
    return request;
}

StreamDialog::StreamDialog(const QStringList& recent, QWidget* parent)
    : QDialog(parent), address_(new QComboBox(this)) {
    setWindowTitle(tr("Open stream"));
    address_->setObjectName(QStringLiteral("address"));
    address_->setEditable(true);
    address_->addItems(recent);
    address_->setCurrentText({});
    address_->lineEdit()->setPlaceholderText(QStringLiteral("rtsp://user:password@camera/stream"));
    auto* label = new QLabel(tr("Address of the stream or of a video on a server"), this);
    label->setBuddy(address_);
    auto* hint = new QLabel(tr("rtsp, rtmp, http and https addresses are understood. When a stream "
                               "falls silent it is opened again by itself."),
                            this);
    hint->setObjectName(QStringLiteral("muted"));
    hint->setWordWrap(true);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Open | QDialogButtonBox::Cancel, this);
    auto* column = new QVBoxLayout(this);
    column->addWidget(label);
    column->addWidget(address_);
    column->addWidget(hint);
    column->addStretch(1);
    column->addWidget(buttons);
    setMinimumWidth(480);
    QPushButton* open = buttons->button(QDialogButtonBox::Open);
    open->setEnabled(false);
    connect(address_, &QComboBox::editTextChanged, this,
            [this, open] { open->setEnabled(address().contains(QStringLiteral("://"))); });
    connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
}

QString StreamDialog::address() const {
    return address_->currentText().trimmed();
}

} // namespace vigil::ui
