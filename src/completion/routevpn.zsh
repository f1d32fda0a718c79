#compdef routevpn
# zsh completion for routevpn(8), written by `routevpn completion zsh`
_routevpn_table=TABLE
_routevpn_expand() {
  case $1 in
    (@none) ;;
    (@file) _files ;;
    (@dir) _files -/ ;;
    (@netns) compadd -- ${(f)"$(ip netns list 2>/dev/null | cut -d' ' -f1)"} ;;
    (@link) compadd -- /run/routevpn/*.sock(N:t:r) ;;
    (*) compadd -- ${=1} ;;
  esac
}
_routevpn() {
  local line at='' previous=${words[CURRENT-1]}
  local -a fields described
  ((CURRENT > 2)) && [[ ${words[2]} != -* ]] && at=${words[2]}
  ((CURRENT > 3)) && [[ $_routevpn_table == *$'\n'"$at ${words[3]}|"* ]] && at+=" ${words[3]}"
  for line in ${(f)_routevpn_table}; do
    fields=("${(@s:|:)line}")
    [[ ${fields[1]} == $at ]] || continue
    if [[ -n ${fields[4]} && ($previous == ${fields[2]} || $previous == -${fields[3]}) ]]; then
      _routevpn_expand ${fields[4]}
      return
    fi
    case ${fields[2]} in
      (@*) _routevpn_expand ${fields[2]} ;;
      (*) described+=("${fields[2]}:${fields[5]}") ;;
    esac
  done
  _describe 'argument' described
}
# Loaded by its name at the first completion, or read by `source`.
if [[ ${funcstack[1]} == _routevpn ]]; then _routevpn "$@"; else compdef _routevpn routevpn; fi
