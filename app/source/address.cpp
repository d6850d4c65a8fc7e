#include "address.hpp"

#include <algorithm>
#include <cctype>

namespace vigil {

bool isUrl(const std::string& spec) {
    const std::size_t colon = spec.find("://");
    return colon != std::string::npos && colon > 0 &&
           std::all_of(spec.begin(), spec.begin() + static_cast<std::ptrdiff_t>(colon),
                       [](unsigned char c) { return std::isalnum(c) || c == '+' || c == '-'; });
}

std::string withoutPassword(const std::string& spec) {
    if (!isUrl(spec))
        return spec;
    const std::size_t begin = spec.find("://") + 3;
    const std::size_t end = std::min(spec.find_first_of("/?#", begin), spec.size());
    const std::size_t at = spec.substr(0, end).rfind('@');
    const std::size_t colon = spec.find(':', begin);
    if (at == std::string::npos || at < begin || colon == std::string::npos || colon > at)
        return spec;
    return spec.substr(0, colon) + spec.substr(at);
}

} // namespace vigil
