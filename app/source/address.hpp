#pragma once

#include <string>

namespace vigil {

/// Whether a source is named by an address, such as rtsp://camera/stream.
bool isUrl(const std::string& spec);

/// A source as messages and summaries may show it: an address without the password in it.
std::string withoutPassword(const std::string& spec);

} // namespace vigil
