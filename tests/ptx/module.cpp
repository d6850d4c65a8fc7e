#include "module.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <regex>
#include <stdexcept>

namespace ptx {
namespace {

std::string_view trim(std::string_view text) {
    const char* const blank = " \t\r\n";
    const std::size_t first = text.find_first_not_of(blank);
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

std::string withoutComments(std::string_view source) {
    std::string text(source);
    for (std::size_t at = 0; (at = text.find("//", at)) != std::string::npos;)
        for (; at < text.size() && text[at] != '\n'; ++at)
            text[at] = ' ';
    return text;
}

std::vector<std::string_view> split(std::string_view text, const char* separators) {
    std::vector<std::string_view> parts;
    while (true) {
        const std::size_t end = std::min(text.find_first_of(separators), text.size());
        parts.push_back(trim(text.substr(0, end)));
        if (end == text.size())
            return parts;
        text.remove_prefix(end + 1);
    }
}

bool startsWith(std::string_view text, std::string_view start) {
    return text.substr(0, start.size()) == start;
}

/// The number that a text begins with.
int numberIn(std::string_view text) {
    return std::atoi(std::string(text).c_str());
}

int bytesOf(std::string_view type) { // such as ".u32"
    return numberIn(type.substr(2)) / 8;
}

int roundUp(int a, int b) {
    return (a + b - 1) / b * b;
}

/// Reads one .entry, whose text begins behind that word.
class KernelParser {
public:
    KernelParser(std::string_view text, std::size_t at,
                 const std::vector<std::string>& dynamic_memory)
        : text_(text), at_(at), dynamic_memory_(dynamic_memory) {
        placeDynamicMemory();
    }

    Kernel parse() {
        kernel_.name = std::string(trim(until("(")));
        for (const std::string_view parameter : split(until(")"), ","))
            if (!parameter.empty())
                addParameter(parameter);
        readBounds(until("{"));
        for (int depth = 1; depth > 0;) {
            skipBlank();
            if (text_[at_] == '{' || text_[at_] == '}')
                depth += text_[at_++] == '{' ? 1 : -1;
            else
                addStatement();
        }
        for (const auto& [number, label] : branches_) {
            const auto found = labels_.find(label);
            if (found == labels_.end())
                fail("there is no label " + label);
            kernel_.code[number].target = found->second;
        }
        return std::move(kernel_);
    }

private:
    [[noreturn]] void fail(const std::string& what) {
        throw std::runtime_error("PTX, line " + std::to_string(line()) + ": " + what);
    }
    int line() { return line_at_.advance(text_, std::max(at_, line_at_.at)); }

    std::string_view until(const char* ends) {
        const std::size_t end = text_.find_first_of(ends, at_);
        if (end == std::string_view::npos)
            fail(std::string("a kernel ends without ") + ends);
        const std::string_view part = text_.substr(at_, end - at_);
        at_ = end + 1;
        return part;
    }
    void skipBlank() {
        at_ = text_.find_first_not_of(" \t\r\n", at_);
        if (at_ == std::string_view::npos)
            fail("a kernel has no end");
    }

    /// ".param .u64 NAME" or ".param .align 8 .b8 NAME[176]"
    void addParameter(std::string_view text) {
        const auto words = split(text, " \t");
        const std::string_view last = words.back();
        const std::size_t bracket = last.find('[');
        const bool is_array = bracket != std::string_view::npos;
        const int bytes = is_array ? numberIn(last.substr(bracket + 1)) : bytesOf(words[1]);
        const int alignment = words[1] == ".align" ? numberIn(words[2]) : bytes;
        const int offset = roundUp(parameter_bytes_, alignment);
        kernel_.parameters.push_back({offset, bytes});
        symbols_[std::string(last.substr(0, bracket))] = offset;
        parameter_bytes_ = offset + bytes;
    }

    /// ".maxntid 256, 1, 1" and the like
    void readBounds(std::string_view text) {
        const std::string_view word = ".maxntid";
        std::size_t at = text.find(word);
        if (at == std::string_view::npos)
            return;
        at += word.size();
        kernel_.most_threads = 1;
        for (const std::string_view side : split(text.substr(at, text.find('.', at) - at), ","))
            kernel_.most_threads *= static_cast<unsigned>(numberIn(side));
    }

    /// ".reg .b32 %r<8>" declares %r0 to %r7; ".reg .b16 low, high" these two.
    void declareRegisters(std::string_view text) {
        text.remove_prefix(text.find_first_of(" \t", text.find('.', 1)));
        for (const std::string_view name : split(text, ",")) {
            const std::size_t bracket = name.find('<');
            const bool is_range = bracket != std::string_view::npos;
            declared_[std::string(trim(name.substr(0, bracket)))] =
                is_range ? numberIn(name.substr(bracket + 1)) : 0;
        }
    }

    bool isDeclared(const std::string& name) const {
        static const std::regex special(R"(%(n?tid|n?ctaid)\.[xyz])");
        if (declared_.count(name) > 0 || std::regex_match(name, special))
            return true;
        const std::size_t digits = name.find_last_not_of("0123456789") + 1;
        const auto range = declared_.find(name.substr(0, digits));
        return digits < name.size() && range != declared_.end() &&
               numberIn(std::string_view(name).substr(digits)) < range->second;
    }

    /// ".shared .align 4 .b8 NAME[4224]", ".shared .u32 NAME" or ".local ..."
    void addVariable(std::string_view text) {
        const auto words = split(text, " \t");
        const bool is_aligned = words[1] == ".align";
        const int element = bytesOf(words[is_aligned ? 3 : 1]);
        const std::string_view name = words.back();
        const std::size_t bracket = name.find('[');
        const bool is_array = bracket != std::string_view::npos;
        int& bytes = words[0] == ".shared" ? kernel_.shared_bytes : kernel_.local_bytes;
        bytes = roundUp(bytes, is_aligned ? numberIn(words[2]) : element);
        symbols_[std::string(name.substr(0, bracket))] = bytes;
        bytes += element * (is_array ? numberIn(name.substr(bracket + 1)) : 1);
        placeDynamicMemory();
    }

    /// Behind the kernel's own variables, which come before their use.
    void placeDynamicMemory() {
        kernel_.shared_bytes = roundUp(kernel_.shared_bytes, 16);
        for (const std::string& name : dynamic_memory_)
            symbols_[name] = kernel_.shared_bytes;
    }

    void addStatement() {
        const int number = static_cast<int>(kernel_.code.size());
        const int first_line = line_at_.advance(text_, at_);
        std::string_view text = trim(until(";:"));
        if (text_[at_ - 1] == ':') {
            labels_[std::string(text)] = number;
            return;
        }
        if (text.empty())
            return;
        if (text[0] == '.') {
            if (startsWith(text, ".shared") || startsWith(text, ".local"))
                addVariable(text);
            else if (startsWith(text, ".reg"))
                declareRegisters(text);
            else if (!startsWith(text, ".pragma"))
                fail("can't read " + std::string(text));
            return;
        }
        Instruction instruction;
        instruction.line = first_line;
        if (text[0] == '@') {
            const std::size_t end = text.find_first_of(" \t");
            instruction.guard_negated = text[1] == '!';
            instruction.guard = registerOf(text.substr(instruction.guard_negated ? 2 : 1,
                                                       end - 1 - instruction.guard_negated));
            text = trim(text.substr(end));
        }
        const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
        instruction.mnemonic = std::string(text.substr(0, end));
        const std::string_view operands = trim(text.substr(end));
        if (startsWith(instruction.mnemonic, "bra"))
            branches_.emplace_back(number, operands);
        else if (!operands.empty())
            addOperands(instruction, operands);
        kernel_.code.push_back(std::move(instruction));
    }

    void addOperands(Instruction& instruction, std::string_view text) {
        instruction.starts_with_vector = text[0] == '{';
        std::string flat(text);
        for (const char brace : {'{', '}', '[', ']'})
            std::replace(flat.begin(), flat.end(), brace, ' ');
        for (const std::string_view part : split(flat, ",|"))
            instruction.operands.push_back(operandOf(part));
    }

    /// "%r1", "5", "0f3F800000", "NAME", or one of these with "+16"
    Operand operandOf(std::string_view text) {
        const std::size_t plus = text.find('+', 1);
        if (plus != std::string_view::npos) {
            Operand sum = operandOf(trim(text.substr(0, plus)));
            sum.constant += constantOf(trim(text.substr(plus + 1)));
            return sum;
        }
        const bool is_number = std::isdigit(static_cast<unsigned char>(text[0])) || text[0] == '-';
        if (is_number)
            return {-1, constantOf(text)};
        const auto symbol = symbols_.find(std::string(text));
        if (symbol != symbols_.end())
            return {-1, symbol->second};
        return {registerOf(text), 0};
    }

    std::uint64_t constantOf(std::string_view text) {
        const std::string number(text);
        const std::string_view start = text.substr(0, 2);
        const bool is_float = start == "0f" || start == "0F" || start == "0d" || start == "0D";
        char* end = nullptr;
        const std::uint64_t value =
            is_float           ? std::strtoull(number.c_str() + 2, &end, 16)
            : number[0] == '-' ? static_cast<std::uint64_t>(std::strtoll(number.c_str(), &end, 0))
                               : std::strtoull(number.c_str(), &end, 0);
        if (*end == 'U') // of a number without a sign
            ++end;
        if (*end != '\0')
            fail("can't read the number " + number);
        return value;
    }

    int registerOf(std::string_view text) {
        const std::string name(text);
        if (!isDeclared(name))
            fail("there is no " + name);
        const int next = static_cast<int>(kernel_.registers.size());
        return kernel_.registers.emplace(name, next).first->second;
    }

    /// Numbers of lines, counted on from the last one that was asked for.
    struct LineCounter {
        std::size_t at = 0;
        int line = 1;

        int advance(std::string_view text, std::size_t to) {
            line += static_cast<int>(std::count(text.begin() + at, text.begin() + to, '\n'));
            at = to;
            return line;
        }
    };

    std::string_view text_;
    std::size_t at_;
    const std::vector<std::string>& dynamic_memory_;
    std::map<std::string, std::uint64_t> symbols_;
    std::map<std::string, int> declared_; ///< registers: how many of a range, 0 for one alone
    LineCounter line_at_;
    Kernel kernel_;
    int parameter_bytes_ = 0;
    std::map<std::string, int> labels_;
    std::vector<std::pair<int, std::string>> branches_;
};

} // namespace

Module::Module(std::string_view source) : text_(withoutComments(source)) {
    const std::string word = ".entry";
    const std::string head = text_.substr(0, text_.find(word));
    static const std::regex dynamic(R"(\.extern\s+\.shared\s[^;]*?\s(\S+)\[\]\s*;)");
    for (std::sregex_iterator at(head.begin(), head.end(), dynamic), end; at != end; ++at)
        dynamic_memory_.push_back((*at)[1]);
    for (std::size_t at = 0; (at = text_.find(word, at)) != std::string::npos; at += word.size()) {
        const std::size_t begin = at + word.size();
        const std::size_t end = std::min(text_.find('(', begin), text_.size());
        kernels_[std::string(trim(std::string_view(text_).substr(begin, end - begin)))] = begin;
    }
}

std::vector<std::string> Module::kernels() const {
    std::vector<std::string> names;
    for (const auto& kernel : kernels_)
        names.push_back(kernel.first);
    return names;
}

Kernel Module::parse(const std::string& name) const {
    const auto found = kernels_.find(name);
    if (found == kernels_.end())
        throw std::runtime_error("there is no kernel " + name);
    return KernelParser(text_, found->second, dynamic_memory_).parse();
}

std::string stableName(const std::string& mangled) {
    // _GLOBAL__N__HASH_9_pixels_cu_HASH_NUMBER, its length in front and that of the file in it
    static const std::regex unnamed(R"((\d+)_GLOBAL__N__[0-9a-f]{8}_(\d+)_)");
    std::string name = mangled;
    for (std::smatch match; std::regex_search(name, match, unnamed);) {
        const std::string file = match.suffix().str().substr(0, std::stoul(match[2]));
        name.replace(match.position(), match.length(1) + std::stoul(match[1]), "unnamed_" + file);
    }
    return name;
}

} // namespace ptx
