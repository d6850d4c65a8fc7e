#pragma once

#include <QString>
#include <string>

namespace vigil::ui {

/// A message of the engine in the language of the window; as it is, where there is no translation.
QString engineText(const std::string& message);

} // namespace vigil::ui
