#include "start_page.hpp"

#include "engine/text.hpp"
#include "view/icon_label.hpp"

#include <QGridLayout>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QVBoxLayout>

namespace vigil::ui {
namespace {

constexpr int content_width = 620;
constexpr int logo_side = 56;
constexpr int icon_side = 28;
constexpr int small_icon_side = 20;
constexpr int most_recent = 5;

void scale(QLabel* label, double factor, bool bold) {
    QFont font = label->font();
    font.setPointSizeF(font.pointSizeF() * factor);
    font.setBold(bold);
    label->setFont(font);
}

} // namespace

StartPage::StartPage(QWidget* parent)
    : QWidget(parent),
      demo_(nullptr),
      model_(new QLabel(this)),
      recent_title_(new QLabel(tr("Recent"), this)),
      recent_(new QVBoxLayout) {
    auto* logo = new QLabel(this);
    logo->setPixmap(QIcon(QStringLiteral(":/icons/vigil.svg"))
                        .pixmap(QSize(logo_side, logo_side), devicePixelRatioF()));
    auto* name = new QLabel(QStringLiteral("Vigil"), this);
    scale(name, 2, true);
    auto* motto = new QLabel(tr("Finds objects in videos, cameras and streams"), this);
    motto->setObjectName(QStringLiteral("muted"));
    auto* titles = new QVBoxLayout;
    titles->setSpacing(0);
    titles->addWidget(name);
    titles->addWidget(motto);
    auto* head = new QHBoxLayout;
    head->setSpacing(16);
    head->addWidget(logo);
    head->addLayout(titles, 1);

    auto* tiles = new QGridLayout;
    tiles->setSpacing(10);
    connect(addTile(tiles, 0, QStringLiteral("openVideo"), QStringLiteral("video"),
                    tr("Open video"), tr("MP4, MKV, AVI, WebM …")),
            &QPushButton::clicked, this, &StartPage::videoWanted);
    connect(addTile(tiles, 1, QStringLiteral("openCamera"), QStringLiteral("camera"),
                    tr("Open camera"), tr("Webcams and capture cards")),
            &QPushButton::clicked, this, &StartPage::cameraWanted);
    connect(addTile(tiles, 2, QStringLiteral("openStream"), QStringLiteral("stream"),
                    tr("Open stream"), tr("RTSP, HTTP and others")),
            &QPushButton::clicked, this, &StartPage::streamWanted);
    connect(addTile(tiles, 3, QStringLiteral("openImages"), QStringLiteral("images"),
                    tr("Open images"), tr("A folder of pictures")),
            &QPushButton::clicked, this, &StartPage::imagesWanted);
    demo_ = addTile(tiles, 4, QStringLiteral("openDemo"), QStringLiteral("demo"), tr("Demo"),
                    tr("A street scene and the model that came with Vigil"));
    connect(demo_, &QPushButton::clicked, this, &StartPage::demoWanted);

    auto* model_button = new QPushButton(tr("Load model…"), this);
    model_button->setObjectName(QStringLiteral("startLoadModel"));
    connect(model_button, &QPushButton::clicked, this, &StartPage::modelWanted);
    auto* model_icon =
        new IconLabel(QStringLiteral("model"), small_icon_side, QPalette::WindowText, this);
    model_->setObjectName(QStringLiteral("startModel"));
    model_->setWordWrap(true);
    auto* model_row = new QHBoxLayout;
    model_row->addWidget(model_icon);
    model_row->addWidget(model_, 1);
    model_row->addWidget(model_button);

    scale(recent_title_, 1, true);
    recent_->setSpacing(0);
    auto* hint = new QLabel(tr("Or drop a video, an image, a folder or a model here."), this);
    hint->setObjectName(QStringLiteral("muted"));
    hint->setAlignment(Qt::AlignCenter);

    auto* content = new QWidget(this);
    content->setFixedWidth(content_width);
    auto* column = new QVBoxLayout(content);
    column->setSpacing(18);
    column->addLayout(head);
    column->addLayout(tiles);
    column->addLayout(model_row);
    auto* recent_box = new QVBoxLayout;
    recent_box->setSpacing(2);
    recent_box->addWidget(recent_title_);
    recent_box->addLayout(recent_);
    column->addLayout(recent_box);
    column->addWidget(hint);
    auto* page = new QWidget(this);
    auto* centre = new QGridLayout(page);
    centre->addWidget(content, 0, 0, Qt::AlignCenter);
    auto* scroll = new QScrollArea(this);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setWidgetResizable(true);
    scroll->setWidget(page);
    auto* outer = new QVBoxLayout(this);
    outer->setContentsMargins(0, 0, 0, 0);
    outer->addWidget(scroll);
    setFocusPolicy(Qt::ClickFocus);
    setRecent({});
    setModelText({});
    setDemo(false);
}

QPushButton* StartPage::addTile(QGridLayout* grid, int place, const QString& name,
                                const QString& icon_name, const QString& title,
                                const QString& text) {
    auto* tile = new QPushButton(this);
    tile->setObjectName(QStringLiteral("tile"));
    tile->setProperty("action", name);
    tile->setAccessibleName(title);
    auto* picture = new IconLabel(icon_name, icon_side, QPalette::Highlight, tile);
    auto* heading = new QLabel(title, tile);
    scale(heading, 1.1, true);
    auto* details = new QLabel(text, tile);
    details->setObjectName(QStringLiteral("muted"));
    auto* texts = new QVBoxLayout;
    texts->setSpacing(2);
    texts->addWidget(heading);
    texts->addWidget(details);
    auto* row = new QHBoxLayout(tile);
    row->setContentsMargins(14, 12, 14, 12);
    row->setSpacing(14);
    row->addWidget(picture);
    row->addLayout(texts, 1);
    for (QWidget* part : std::initializer_list<QWidget*>{picture, heading, details})
        part->setAttribute(Qt::WA_TransparentForMouseEvents);
    tile->setMinimumHeight(row->sizeHint().height());
    const bool wide = place == 4;
    grid->addWidget(tile, place / 2, wide ? 0 : place % 2, 1, wide ? 2 : 1);
    return tile;
}

void StartPage::setRecent(const QStringList& items) {
    while (QLayoutItem* old = recent_->takeAt(0)) {
        old->widget()->deleteLater();
        delete old;
    }
    for (const QString& item : items.mid(0, most_recent)) {
        auto* link = new QPushButton(this);
        link->setObjectName(QStringLiteral("recent"));
        link->setFlat(true);
        link->setText(
            link->fontMetrics().elidedText(sourceLabel(item), Qt::ElideMiddle, content_width - 60));
        link->setToolTip(withoutPassword(item));
        connect(link, &QPushButton::clicked, this, [this, item] { emit recentWanted(item); });
        recent_->addWidget(link);
    }
    recent_title_->setVisible(!items.isEmpty());
}

void StartPage::setModelText(const QString& text) {
    model_->setText(
        text.isEmpty() ? tr("No model is loaded: give the ONNX file of a YOLOv10, with iRMB or not")
                       : text);
}

void StartPage::setDemo(bool available) {
    demo_->setVisible(available);
}

} // namespace vigil::ui
