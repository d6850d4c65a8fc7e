#include "quiet_style.hpp"

#include "icons.hpp"

#include <QPainter>
#include <QStyleFactory>
#include <QStyleOption>

namespace vigil::ui {
namespace {

constexpr int fusion_darkens = 140; // percent, from the window to its edges
constexpr int dock_title_margin = 7;
constexpr int button_padding = 8;

/// While it lives, an option's window colour is the one that Fusion makes the wanted edges of.
class Edges {
public:
    explicit Edges(const QStyleOption* option)
        : option_(*const_cast<QStyleOption*>(option)), palette_(option_.palette) {
        const QColor edge = palette_.color(QPalette::Dark);
        option_.palette.setColor(QPalette::Window, edge.lighter(fusion_darkens));
    }
    ~Edges() { option_.palette = palette_; }
    Edges(const Edges&) = delete;
    Edges& operator=(const Edges&) = delete;

private:
    QStyleOption& option_;
    QPalette palette_;
};

bool hasEdges(QStyle::PrimitiveElement element) {
    switch (element) {
    case QStyle::PE_Frame:
    case QStyle::PE_FrameGroupBox:
    case QStyle::PE_FrameLineEdit:
    case QStyle::PE_IndicatorCheckBox:
    case QStyle::PE_IndicatorRadioButton:
    case QStyle::PE_PanelButtonCommand:
        return true;
    default:
        return false;
    }
}

bool hasEdges(QStyle::ComplexControl control) {
    return control == QStyle::CC_ComboBox || control == QStyle::CC_SpinBox ||
           control == QStyle::CC_Slider;
}

/// Fusion draws the icon of a highlighted row as that of a button under the mouse.
QStyleOptionMenuItem withLitIcon(const QStyleOptionMenuItem& row, int side,
                                 const QPaintDevice* device) {
    QStyleOptionMenuItem lit = row;
    if (!row.icon.isNull() && row.state.testFlag(QStyle::State_Enabled))
        lit.icon = row.icon.pixmap({side, side}, device->devicePixelRatioF(), QIcon::Selected);
    return lit;
}

} // namespace

QuietStyle::QuietStyle() : QProxyStyle(QStyleFactory::create(QStringLiteral("Fusion"))) {}

void QuietStyle::drawPrimitive(PrimitiveElement element, const QStyleOption* option,
                               QPainter* painter, const QWidget* widget) const {
    if (!hasEdges(element))
        return QProxyStyle::drawPrimitive(element, option, painter, widget);
    const Edges edges(option);
    QProxyStyle::drawPrimitive(element, option, painter, widget);
}

void QuietStyle::drawControl(ControlElement element, const QStyleOption* option, QPainter* painter,
                             const QWidget* widget) const {
    const auto* row = qstyleoption_cast<const QStyleOptionMenuItem*>(option);
    if (element == CE_MenuItem && row && row->state.testFlag(State_Selected)) {
        const int side = pixelMetric(PM_SmallIconSize, option, widget);
        const QStyleOptionMenuItem lit = withLitIcon(*row, side, painter->device());
        return QProxyStyle::drawControl(element, &lit, painter, widget);
    }
    if (element != CE_ProgressBarGroove)
        return QProxyStyle::drawControl(element, option, painter, widget);
    const Edges edges(option);
    QProxyStyle::drawControl(element, option, painter, widget);
}

void QuietStyle::drawComplexControl(ComplexControl control, const QStyleOptionComplex* option,
                                    QPainter* painter, const QWidget* widget) const {
    if (!hasEdges(control))
        return QProxyStyle::drawComplexControl(control, option, painter, widget);
    const Edges edges(option);
    QProxyStyle::drawComplexControl(control, option, painter, widget);
}

int QuietStyle::styleHint(StyleHint hint, const QStyleOption* option, const QWidget* widget,
                          QStyleHintReturn* data) const {
    if (hint == SH_EtchDisabledText || hint == SH_DialogButtonBox_ButtonsHaveIcons)
        return 0;
    return QProxyStyle::styleHint(hint, option, widget, data);
}

/// Fusion gives short texts a wide button, but long ones no room at their sides.
QSize QuietStyle::sizeFromContents(ContentsType type, const QStyleOption* option,
                                   const QSize& contents, const QWidget* widget) const {
    const QSize room = type == CT_PushButton ? QSize(2 * button_padding, 0) : QSize(0, 0);
    return QProxyStyle::sizeFromContents(type, option, contents + room, widget);
}

/// The buttons of panels: Fusion's are grey pixmaps of one size.
QIcon QuietStyle::standardIcon(StandardPixmap which, const QStyleOption* option,
                               const QWidget* widget) const {
    switch (which) {
    case SP_TitleBarNormalButton:
        return icon(QStringLiteral("float"));
    case SP_TitleBarCloseButton:
    case SP_DockWidgetCloseButton:
        return icon(QStringLiteral("close"));
    default:
        return QProxyStyle::standardIcon(which, option, widget);
    }
}

/// Of the title of a dock, Qt counts this margin as room for its text, and no padding.
int QuietStyle::pixelMetric(PixelMetric metric, const QStyleOption* option,
                            const QWidget* widget) const {
    return metric == PM_DockWidgetTitleMargin ? dock_title_margin
                                              : QProxyStyle::pixelMetric(metric, option, widget);
}

} // namespace vigil::ui
