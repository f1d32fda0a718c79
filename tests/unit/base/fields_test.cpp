#include "routevpn/base/fields.hpp"

#include <cstdint>

#include "catch.hpp"

using namespace routevpn;
using namespace std::chrono_literals;

namespace {

enum class Colour : std::uint8_t { red, green = 200 };

struct Inner {
  std::string name;
  std::optional<std::int64_t> number;
  bool operator==(const Inner&) const = default;

  template <typename Io>
  friend void fields(Io& io, Inner& inner) {
    io(inner.name, inner.number);
  }
};

struct Outer {
  bool flag = false;
  Colour colour = Colour::red;
  std::uint16_t small = 0;
  std::int32_t negative = 0;
  std::uint64_t large = 0;
  std::chrono::nanoseconds duration{};
  std::chrono::system_clock::time_point time{};
  std::array<std::uint8_t, 3> bytes{};
  std::vector<Inner> list;
  std::deque<std::uint32_t> queue;
  SocketAddress address;
  std::optional<IpAddress> none;
  bool operator==(const Outer&) const = default;

  template <typename Io>
  friend void fields(Io& io, Outer& o) {
    io(o.flag, o.colour, o.small, o.negative, o.large, o.duration, o.time, o.bytes, o.list, o.queue,
       o.address, o.none);
  }
};

Outer example() {
  return {true,
          Colour::green,
          0xfedc,
          -7,
          0xfedcba9876543210,
          -5ns,
          std::chrono::system_clock::time_point(1234567890123456789ns),
          {1, 2, 3},
          {{"first", -1}, {"", std::nullopt}, {std::string("\0x", 2), INT64_MIN}},
          {5, 4, 3},
          {*IpAddress::parse("2001:db8::1"), 7754, 9},
          std::nullopt};
}

std::vector<std::uint8_t> written(Outer object) {
  std::vector<std::uint8_t> room(1000);
  FieldWriter writer(room);
  writer(object);
  REQUIRE(writer.fits());
  room.resize(writer.bytes());
  return room;
}

}  // namespace

TEST_CASE("what was written is read back, with every kind of field") {
  const auto bytes = written(example());
  Outer read;
  FieldReader reader(bytes);
  reader(read);
  CHECK(reader.complete());
  CHECK(read == example());
}

TEST_CASE("numbers are in network order, and a text begins with its length") {
  std::vector<std::uint8_t> room(20);
  FieldWriter writer(room);
  std::uint32_t number = 0x01020304;
  std::string text = "ab";
  writer(number, text);
  room.resize(writer.bytes());
  CHECK(room == std::vector<std::uint8_t>{1, 2, 3, 4, 0, 0, 0, 2, 'a', 'b'});
}

TEST_CASE("a state that is cut or longer is not complete") {
  const auto bytes = written(example());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    Outer read;
    FieldReader reader(ConstBytes(bytes).first(size));
    reader(read);
    CHECK_FALSE(reader.complete());
  }
  auto longer = bytes;
  longer.push_back(0);
  Outer read;
  FieldReader reader(longer);
  reader(read);
  CHECK_FALSE(reader.complete());
}

TEST_CASE("a state without room is not written behind its room") {
  auto object = example();
  const std::size_t needed = written(object).size();
  for (std::size_t size = 0; size < needed; ++size) {
    std::vector<std::uint8_t> room(size);  // a write behind it is found by the sanitizer
    FieldWriter writer(room);
    writer(object);
    CHECK_FALSE(writer.fits());
    CHECK(writer.bytes() <= size);
  }
}

TEST_CASE("a length that the bytes do not have allocates nothing of its size") {
  std::vector<std::uint8_t> bytes{0xff, 0xff, 0xff, 0xff, 1, 2, 3};
  std::vector<std::uint64_t> list;
  FieldReader reader(bytes);
  reader(list);
  CHECK_FALSE(reader.complete());
  CHECK(list.capacity() < 100);
  std::string text;
  FieldReader again(bytes);
  again(text);
  CHECK_FALSE(again.complete());
  CHECK(text.empty());
}

TEST_CASE("a flag is 0 or 1") {
  const std::uint8_t value = GENERATE(as<std::uint8_t>{}, 0, 1, 2, 255);
  bool flag = false;
  FieldReader reader(ConstBytes(&value, 1));
  reader(flag);
  CHECK(reader.complete() == (value <= 1));
}
