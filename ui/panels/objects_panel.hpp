#pragma once

#include <QWidget>
#include <map>
#include <optional>
#include <string>
#include <vector>

class QCheckBox;
class QDoubleSpinBox;
class QLabel;
class QLineEdit;
class QPushButton;
class QSlider;
class QTreeWidget;
class QTreeWidgetItem;

namespace vigil::ui {

/// What to look for: the lowest score and the classes, with the number of objects of each.
class ObjectsPanel : public QWidget {
    Q_OBJECT

public:
    explicit ObjectsPanel(QWidget* parent = nullptr);

    void setConfidence(double confidence);
    /// The classes of a model, all of them wanted unless they are those of before.
    void setClasses(const std::vector<std::string>& names);
    void setCounts(const std::map<int, int>& counts);
    void setNoPicture();

    /// Classes that are wanted; nullopt: all.
    std::optional<std::vector<int>> wanted() const;

signals:
    void confidenceChanged(double confidence);
    void classesChanged(const std::optional<std::vector<int>>& classes);

private:
    void checkAll(bool checked);
    void showOnly(QTreeWidgetItem* item);
    void filter();
    void changed();

    QSlider* slider_;
    QDoubleSpinBox* spin_;
    QLineEdit* search_;
    QCheckBox* seen_only_;
    QPushButton* all_;
    QPushButton* none_;
    QTreeWidget* list_;
    QLabel* total_;
    std::vector<std::string> names_;
    bool filling_ = false;              ///< changes of check marks are not the user's
    QTreeWidgetItem* ticked_ = nullptr; ///< whose box the click that goes on has hit
    QTreeWidgetItem* alone_ = nullptr;  ///< the class that was picked by itself
};

} // namespace vigil::ui
