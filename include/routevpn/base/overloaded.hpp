// Takes a variant apart with std::visit, one lambda per alternative. A missing one does not
// compile.
#pragma once

namespace routevpn {

template <typename... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};
template <typename... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

}  // namespace routevpn
