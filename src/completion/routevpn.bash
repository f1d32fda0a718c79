# bash completion for routevpn(8), written by `routevpn completion bash`
_routevpn_table=TABLE
_routevpn_add() {
  mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen "$@" -- "$current")
}
_routevpn_expand() {
  local socket directory=${COMP_LINE##*--run-dir }
  [[ $COMP_LINE == *--run-dir\ * ]] && directory=${directory%% *} || directory=/run/routevpn
  [[ $1 != @file && $1 != @dir ]] || compopt -o filenames 2>/dev/null
  case $1 in
    @none) ;;
    @file) _routevpn_add -f ;;
    @dir) _routevpn_add -d ;;
    @netns) _routevpn_add -W "$(ip netns list 2>/dev/null | cut -d' ' -f1)" ;;
    @link)
      for socket in "$directory"/*.sock; do
        [[ -S $socket ]] && socket=${socket##*/} && _routevpn_add -W "${socket%.sock}"
      done
      ;;
    *) _routevpn_add -W "$1" ;;
  esac
}
_routevpn() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local at='' verb word letter offer plain=''
  ((COMP_CWORD > 1)) && [[ ${COMP_WORDS[1]} != -* ]] && at=${COMP_WORDS[1]}
  ((COMP_CWORD > 2)) && [[ $_routevpn_table == *$'\n'"$at ${COMP_WORDS[2]}|"* ]] &&
    at+=" ${COMP_WORDS[2]}"
  COMPREPLY=()
  while IFS='|' read -r verb word letter offer _; do
    [[ $verb == "$at" ]] || continue
    if [[ -n $offer && ($previous == "$word" || $previous == "-$letter") ]]; then
      COMPREPLY=()
      _routevpn_expand "$offer"
      return
    fi
    case $word in
      @*) _routevpn_expand "$word" ;;
      *) plain+=" $word" ;;
    esac
  done <<<"$_routevpn_table"
  _routevpn_expand "$plain"
}
complete -F _routevpn routevpn
