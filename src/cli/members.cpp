#include "members.hpp"

#include "routevpn/base/text.hpp"
#include "routevpn/cli/human.hpp"

namespace routevpn::cli {

using nlohmann::json;

const json& member(const json& object, const char* name) {
  static const json nothing;
  if (!object.is_object()) return nothing;
  const auto at = object.find(name);
  return at == object.end() ? nothing : *at;
}

std::string printable_text(const json& value) {
  return value.is_string() ? printable(value.get_ref<const std::string&>()) : std::string();
}

std::string text_in(const json& object, const char* name) {
  return printable_text(member(object, name));
}

std::string amount_in(const json& object, const char* name, double unit, int decimals) {
  const json& value = member(object, name);
  return value.is_number() ? fixed(value.get<double>() / unit, decimals) : std::string();
}

std::uint64_t count_in(const json& object, const char* name) {
  const json& value = member(object, name);
  return value.is_number_unsigned() ? value.get<std::uint64_t>() : 0;
}

std::optional<pki::TimePoint> time_in(const json& object, const char* name) {
  return pki::parse_time(text_in(object, name));
}

}  // namespace routevpn::cli
