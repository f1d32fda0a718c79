# bash completion for routevpn(8)

# The links whose sockets are in the run directory of this command line.
_routevpn_links() {
  local directory=/run/routevpn i
  for ((i = 2; i < COMP_CWORD; i++)); do
    [[ ${COMP_WORDS[i]} == --run-dir ]] && directory=${COMP_WORDS[i + 1]}
  done
  for i in "$directory"/*.sock; do
    [[ -S $i ]] && i=${i##*/} && printf '%s ' "${i%.sock}"
  done
}

_routevpn() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local command='' options=''
  COMPREPLY=()

  case ${COMP_WORDS[1]} in
    show | check | plan) ((COMP_CWORD > 1)) && command=${COMP_WORDS[1]} ;;
    pki)
      if ((COMP_CWORD == 2)); then
        mapfile -t COMPREPLY < <(compgen -W 'ca csr sign revoke list --help' -- "$current")
        return
      fi
      ((COMP_CWORD > 2)) && command="pki ${COMP_WORDS[2]}"
      ;;
  esac

  case $previous in
    --cert | --key | --ca | --crl | --config | -C | -K | -A)
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      return
      ;;
    --dir | --run-dir | --out | --pki)
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -d -- "$current")
      return
      ;;
    --netns | --public-netns)
      mapfile -t COMPREPLY < <(compgen -W "$(ip netns list 2>/dev/null | cut -d' ' -f1)" -- "$current")
      return
      ;;
    --crypto) options='auto openssl ipsec-mb' ;;
    --mtu) options='auto' ;;
    --dscp) options='copy' ;;
    --log-level) options='error warning info debug' ;;
    --log-format) options='text json' ;;
    --wait) options='up down' ;;
    --algorithm) options='p256 p384 ed25519 rsa3072' ;;
    --peer | --listen | --allow | --fwmark | --host | --port | --ifname | --address | --route | \
      --table | --peer-name | --ciphers | --rekey | --rekey-records | --keepalive | --dead-after | \
      --up-delay | --lanes | --on-state | --timeout | --name | --days | --serial | -h | -p | -n | \
      -a)
      return
      ;;
  esac
  if [[ -n $options ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
    return
  fi

  if [[ $command == plan && $current != -* ]]; then
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
    return
  fi

  case $command in
    '') options='--peer --listen --allow --public-netns --fwmark --dscp --client --server --host
        --port --ifname --address --netns --mtu --lanes --route --table --nat --cert --key --ca
        --crl --peer-name --ciphers --crypto --rekey --rekey-records --keepalive --dead-after
        --up-delay --on-state --run-dir --log-level --log-format --config --help --version' ;;
    'check') options='--config --help' ;;
    'show')
      options='--json --watch --wait --timeout --run-dir --help'
      options+=" $(_routevpn_links)"
      ;;
    'plan') options='--out --pki --check --dot --help' ;;
    'pki ca') options='--name --dir --days --algorithm --help' ;;
    'pki csr') options='--name --dir --algorithm --help' ;;
    'pki sign') options='--name --dir --days --force --help' ;;
    'pki revoke') options='--name --serial --dir --days --help' ;;
    'pki list') options='--dir --json --help' ;;
  esac
  ((COMP_CWORD == 1)) && options+=' show check pki plan'
  mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
}

complete -F _routevpn routevpn
