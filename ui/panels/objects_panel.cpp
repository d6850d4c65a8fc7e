#include "objects_panel.hpp"

#include "engine/text.hpp"
#include "view/overlay_painter.hpp"
#include "window/icons.hpp"

#include <QCheckBox>
#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QPainter>
#include <QPixmap>
#include <QPushButton>
#include <QSignalBlocker>
#include <QSlider>
#include <QTreeWidget>
#include <QVBoxLayout>

namespace vigil::ui {
namespace {

enum Column { NameColumn, NowColumn };
constexpr int class_role = Qt::UserRole;
constexpr int seen_role = Qt::UserRole + 1;
constexpr int slider_steps = 100;

QIcon swatch(const QColor& colour) {
    constexpr int side = 24;
    QPixmap pixmap(side, side);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(colour);
    painter.drawEllipse(5, 5, side - 10, side - 10);
    return QIcon(pixmap);
}

} // namespace

ObjectsPanel::ObjectsPanel(QWidget* parent)
    : QWidget(parent),
      slider_(new QSlider(Qt::Horizontal, this)),
      spin_(new QDoubleSpinBox(this)),
      search_(new QLineEdit(this)),
      seen_only_(new QCheckBox(tr("Seen only"), this)),
      all_(new QPushButton(tr("All"), this)),
      none_(new QPushButton(tr("None"), this)),
      list_(new QTreeWidget(this)),
      total_(new QLabel(this)) {
    auto* title = new QLabel(tr("Lowest score"), this);
    title->setBuddy(spin_);
    slider_->setObjectName(QStringLiteral("confidence"));
    slider_->setAccessibleName(title->text());
    slider_->setRange(0, slider_steps);
    spin_->setObjectName(QStringLiteral("confidenceValue"));
    spin_->setRange(0, 1);
    spin_->setSingleStep(0.01);
    spin_->setToolTip(tr("Objects that the model is less sure of are left out"));
    slider_->setToolTip(spin_->toolTip());
    search_->setObjectName(QStringLiteral("classSearch"));
    search_->setPlaceholderText(tr("Search classes"));
    search_->setClearButtonEnabled(true);
    search_->addAction(icon(QStringLiteral("search")), QLineEdit::LeadingPosition);
    seen_only_->setObjectName(QStringLiteral("seenOnly"));
    seen_only_->setToolTip(tr("List only classes that were found since the source was opened"));
    all_->setObjectName(QStringLiteral("allClasses"));
    none_->setObjectName(QStringLiteral("noClasses"));
    all_->setToolTip(tr("Look for every class"));
    none_->setToolTip(tr("Look for nothing"));
    list_->setObjectName(QStringLiteral("classes"));
    list_->setAccessibleName(tr("Classes"));
    list_->setHeaderLabels({tr("Class"), tr("Now")});
    list_->headerItem()->setTextAlignment(NowColumn, Qt::AlignRight | Qt::AlignVCenter);
    list_->setRootIsDecorated(false);
    list_->setUniformRowHeights(true);
    list_->setAlternatingRowColors(true);
    list_->setSelectionMode(QAbstractItemView::NoSelection);
    list_->header()->setStretchLastSection(false);
    list_->header()->setSectionResizeMode(NameColumn, QHeaderView::Stretch);
    list_->header()->setSectionResizeMode(NowColumn, QHeaderView::ResizeToContents);
    list_->setToolTip(tr("Click a name to see that class alone, its box to add or remove it"));
    total_->setObjectName(QStringLiteral("muted"));

    auto* score_row = new QHBoxLayout;
    score_row->addWidget(slider_, 1);
    score_row->addWidget(spin_);
    auto* filter_row = new QHBoxLayout;
    filter_row->addWidget(seen_only_, 1);
    filter_row->addWidget(all_);
    filter_row->addWidget(none_);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(10, 8, 10, 8);
    column->setSpacing(6);
    column->addWidget(title);
    column->addLayout(score_row);
    column->addWidget(search_);
    column->addLayout(filter_row);
    column->addWidget(list_, 1);
    column->addWidget(total_);

    connect(slider_, &QSlider::valueChanged, this,
            [this](int value) { spin_->setValue(double(value) / slider_steps); });
    connect(spin_, &QDoubleSpinBox::valueChanged, this, [this](double value) {
        const QSignalBlocker quiet(slider_);
        slider_->setValue(qRound(value * slider_steps));
        emit confidenceChanged(value);
    });
    connect(search_, &QLineEdit::textChanged, this, &ObjectsPanel::filter);
    connect(seen_only_, &QCheckBox::toggled, this, &ObjectsPanel::filter);
    connect(all_, &QPushButton::clicked, this, [this] { checkAll(true); });
    connect(none_, &QPushButton::clicked, this, [this] { checkAll(false); });
    connect(list_, &QTreeWidget::itemChanged, this, [this](QTreeWidgetItem* item) {
        if (filling_)
            return;
        alone_ = nullptr;
        ticked_ = item;
        changed();
    });
    connect(list_, &QTreeWidget::itemPressed, this, [this] { ticked_ = nullptr; });
    connect(list_, &QTreeWidget::itemClicked, this, [this](QTreeWidgetItem* item) {
        const bool on_its_box = ticked_ == item;
        ticked_ = nullptr;
        if (!on_its_box)
            showOnly(item);
    });
    setClasses({});
}

void ObjectsPanel::setConfidence(double confidence) {
    spin_->setValue(confidence);
}

void ObjectsPanel::setClasses(const std::vector<std::string>& names) {
    if (!names.empty() && names == names_) {
        changed();
        return;
    }
    names_ = names;
    filling_ = true;
    alone_ = nullptr;
    list_->clear();
    for (std::size_t i = 0; i < names.size(); ++i) {
        auto* item = new QTreeWidgetItem(list_, {fromStd(names[i]), QString()});
        item->setIcon(NameColumn, swatch(classColor(int(i))));
        item->setData(NameColumn, class_role, int(i));
        item->setFlags(Qt::ItemIsEnabled | Qt::ItemIsUserCheckable);
        item->setCheckState(NameColumn, Qt::Checked);
        item->setTextAlignment(NowColumn, Qt::AlignRight | Qt::AlignVCenter);
    }
    filling_ = false;
    for (QWidget* widget : std::initializer_list<QWidget*>{search_, seen_only_, all_, none_})
        widget->setEnabled(!names.empty());
    filter();
    setCounts({});
}

void ObjectsPanel::setCounts(const std::map<int, int>& counts) {
    filling_ = true;
    int objects = 0;
    bool news = false;
    for (const auto& [class_id, count] : counts)
        objects += count;
    for (int i = 0; i < list_->topLevelItemCount(); ++i) {
        QTreeWidgetItem* item = list_->topLevelItem(i);
        const auto found = counts.find(item->data(NameColumn, class_role).toInt());
        const QString text = found == counts.end() ? QString() : QString::number(found->second);
        if (item->text(NowColumn) == text)
            continue;
        item->setText(NowColumn, text);
        QFont font = item->font(NameColumn);
        font.setBold(!text.isEmpty());
        item->setFont(NameColumn, font);
        item->setFont(NowColumn, font);
        news = news || !item->data(NameColumn, seen_role).toBool();
        item->setData(NameColumn, seen_role, true);
    }
    filling_ = false;
    if (news && seen_only_->isChecked())
        filter();
    total_->setText(list_->topLevelItemCount() == 0
                        ? tr("Load a model to find objects")
                        : tr("%n object(s) in this frame", nullptr, objects));
}

void ObjectsPanel::setNoPicture() {
    setCounts({});
    const int classes = list_->topLevelItemCount();
    total_->setText(classes == 0 ? tr("Load a model to find objects")
                                 : tr("The model knows %n class(es)", nullptr, classes));
}

std::optional<std::vector<int>> ObjectsPanel::wanted() const {
    std::vector<int> classes;
    const int count = list_->topLevelItemCount();
    for (int i = 0; i < count; ++i)
        if (list_->topLevelItem(i)->checkState(NameColumn) == Qt::Checked)
            classes.push_back(list_->topLevelItem(i)->data(NameColumn, class_role).toInt());
    if (int(classes.size()) == count)
        return std::nullopt;
    return classes;
}

void ObjectsPanel::checkAll(bool checked) {
    filling_ = true;
    for (int i = 0; i < list_->topLevelItemCount(); ++i)
        list_->topLevelItem(i)->setCheckState(NameColumn, checked ? Qt::Checked : Qt::Unchecked);
    filling_ = false;
    alone_ = nullptr;
    changed();
}

/// A second click brings the others back.
void ObjectsPanel::showOnly(QTreeWidgetItem* item) {
    if (alone_ == item) {
        checkAll(true);
        return;
    }
    filling_ = true;
    for (int i = 0; i < list_->topLevelItemCount(); ++i) {
        QTreeWidgetItem* other = list_->topLevelItem(i);
        other->setCheckState(NameColumn, other == item ? Qt::Checked : Qt::Unchecked);
    }
    filling_ = false;
    alone_ = item;
    changed();
}

void ObjectsPanel::filter() {
    const QString wanted_text = search_->text().trimmed();
    for (int i = 0; i < list_->topLevelItemCount(); ++i) {
        QTreeWidgetItem* item = list_->topLevelItem(i);
        const bool matches = item->text(NameColumn).contains(wanted_text, Qt::CaseInsensitive);
        const bool seen = item->data(NameColumn, seen_role).toBool();
        item->setHidden(!matches || (seen_only_->isChecked() && !seen));
    }
}

void ObjectsPanel::changed() {
    if (!filling_)
        emit classesChanged(wanted());
}

} // namespace vigil::ui
