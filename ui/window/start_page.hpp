#pragma once

#include <QWidget>

class QGridLayout;
class QLabel;
class QPushButton;
class QVBoxLayout;

namespace vigil::ui {

/// What one sees while nothing is open: ways to open something.
class StartPage : public QWidget {
    Q_OBJECT

public:
    explicit StartPage(QWidget* parent = nullptr);

    void setRecent(const QStringList& items);
    void setModelText(const QString& text);
    void setDemo(bool available);

signals:
    void videoWanted();
    void cameraWanted();
    void streamWanted();
    void imagesWanted();
    void modelWanted();
    void demoWanted();
    void recentWanted(const QString& item);

private:
    QPushButton* addTile(QGridLayout* grid, int place, const QString& name,
                         const QString& icon_name, const QString& title, const QString& text);

    QPushButton* demo_;
    QLabel* model_;
    QLabel* recent_title_;
    QVBoxLayout* recent_;
};

} // namespace vigil::ui
