#include "literal.hpp"

#include <charconv>
#include <cmath>
#include <cstdint>

namespace irmb::onnx {
namespace {

constexpr int kMaxNames = 10000;

void appendUtf8(std::string& text, uint32_t code) {
    const auto put = [&](uint32_t byte) { text += static_cast<char>(byte); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xC0 | (code >> 6));
        put(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        put(0xE0 | (code >> 12));
        put(0x80 | ((code >> 6) & 0x3F));
        put(0x80 | (code & 0x3F));
    } else {
        put(0xF0 | (code >> 18));
        put(0x80 | ((code >> 12) & 0x3F));
        put(0x80 | ((code >> 6) & 0x3F));
        put(0x80 | (code & 0x3F));
    }
}

/// Reads literals from left to right. Every method returns false or nothing on a syntax error.
class Scanner {
public:
    explicit Scanner(std::string_view text) : rest_(text) {}

    /// Takes `c`, after white space, if it comes next.
    bool accept(char c) {
        skipSpace();
        if (rest_.empty() || rest_.front() != c)
            return false;
        rest_.remove_prefix(1);
        return true;
    }

    bool atEnd() {
        skipSpace();
        return rest_.empty();
    }

    std::optional<int> integer() {
        skipSpace();
        int value = 0;
        const auto [stop, error] =
            std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
        if (error != std::errc())
            return {};
        rest_.remove_prefix(static_cast<std::size_t>(stop - rest_.data()));
        return value;
    }

    std::optional<std::string> string() {
        const char quote = accept('\'') ? '\'' : accept('"') ? '"' : '\0';
        if (quote == '\0')
            return {};
        std::string value;
        while (!rest_.empty()) {
            const char c = rest_.front();
            rest_.remove_prefix(1);
            if (c == quote)
                return value;
            if (c == '\n')
                return {};
            if (c != '\\')
                value += c;
            else if (!escape(value))
                return {};
        }
        return {};
    }

private:
    void skipSpace() {
        const std::size_t start = rest_.find_first_not_of(" \t\r\n");
        rest_.remove_prefix(start == std::string_view::npos ? rest_.size() : start);
    }

    std::optional<uint32_t> hexadecimal(std::size_t digits) {
        uint32_t value = 0;
        if (rest_.size() < digits)
            return {};
        const char* end = rest_.data() + digits;
        const auto [stop, error] = std::from_chars(rest_.data(), end, value, 16);
        if (error != std::errc() || stop != end)
            return {};
        rest_.remove_prefix(digits);
        return value;
    }

    /// The second half of a character that JSON writes as two \u escapes.
    std::optional<uint32_t> joinSurrogates(uint32_t high) {
        if (rest_.substr(0, 2) != "\\u")
            return {};
        rest_.remove_prefix(2);
        const auto low = hexadecimal(4);
        if (!low || *low < 0xDC00 || *low > 0xDFFF)
            return {};
        return 0x10000 + ((high - 0xD800) << 10) + (*low - 0xDC00);
    }

    bool escape(std::string& value) {
        static constexpr std::string_view letters = "\\'\"/ntrbf";
        static constexpr std::string_view meanings = "\\'\"/\n\t\r\b\f";
        if (rest_.empty())
            return false;
        const char c = rest_.front();
        rest_.remove_prefix(1);
        const std::size_t known = letters.find(c);
        if (known != std::string_view::npos) {
            value += meanings[known];
            return true;
        }
        std::optional<uint32_t> code;
        if (c == 'x')
            code = hexadecimal(2);
        else if (c == 'u')
            code = hexadecimal(4);
        else if (c == 'U')
            code = hexadecimal(8);
        if (code && *code >= 0xD800 && *code <= 0xDBFF)
            code = joinSurrogates(*code);
        if (!code || *code > 0x10FFFF)
            return false;
        appendUtf8(value, *code);
        return true;
    }

    std::string_view rest_;
};

std::optional<int> parseIndex(Scanner& scanner) {
    if (const auto text = scanner.string()) {
        Scanner inner(*text);
        const auto value = inner.integer();
        return inner.atEnd() ? value : std::nullopt;
    }
    return scanner.integer();
}

} // namespace

std::optional<std::map<int, std::string>> parseNames(std::string_view text) {
    Scanner scanner(text);
    const bool is_dict = scanner.accept('{');
    if (!is_dict && !scanner.accept('['))
        return {};
    const char close = is_dict ? '}' : ']';
    std::map<int, std::string> names;
    while (!scanner.accept(close)) {
        const auto index = is_dict ? parseIndex(scanner) : static_cast<int>(names.size());
        if (!index || *index < 0 || *index >= kMaxNames || (is_dict && !scanner.accept(':')))
            return {};
        const auto name = scanner.string();
        if (!name || !names.emplace(*index, *name).second)
            return {};
        if (!scanner.accept(',')) {
            if (!scanner.accept(close))
                return {};
            break;
        }
    }
    if (!scanner.atEnd())
        return {};
    return names;
}

std::optional<std::vector<int>> parseIntegers(std::string_view text) {
    Scanner scanner(text);
    const char close = scanner.accept('[') ? ']' : scanner.accept('(') ? ')' : '\0';
    std::vector<int> values;
    do {
        if (close != '\0' && scanner.accept(close))
            return scanner.atEnd() ? std::optional(values) : std::nullopt;
        const auto value = scanner.integer();
        if (!value)
            return {};
        values.push_back(*value);
    } while (close != '\0' && scanner.accept(','));
    if ((close != '\0' && !scanner.accept(close)) || !scanner.atEnd())
        return {};
    return values;
}

std::optional<double> parseReal(std::string_view text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
        return {};
    return value;
}

} // namespace irmb::onnx
