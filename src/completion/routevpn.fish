# fish completion for routevpn(8), written by `routevpn completion fish`
set -g _routevpn_table TABLE
function _routevpn_expand
    switch $argv[1]
        case @none
        case @file
            __fish_complete_path (commandline -ct)
        case @dir
            __fish_complete_directories (commandline -ct)
        case @netns
            ip netns list 2>/dev/null | string split -f 1 ' '
        case @link
            for socket in /run/routevpn/*.sock
                string replace -rf '.*/(.*)\.sock$' '$1' -- $socket
            end
        case '-*'
            string match -q -- '-*' (commandline -ct); and printf '%s\t%s\n' $argv
        case '*'
            printf '%s\t%s\n' $argv
    end
end
function _routevpn
    set -l line (commandline -opc)
    set -l at ''
    set -q line[2]; and not string match -q -- '-*' $line[2]; and set at $line[2]
    if set -q line[3]; and string match -q -- "$at $line[3]|*" (string split \n -- $_routevpn_table)
        set at "$at $line[3]"
    end
    for row in (string split \n -- $_routevpn_table)
        set -l fields (string split '|' -- $row)
        test "$fields[1]" = "$at" -a (count $fields) = 5; or continue
        if test -n "$fields[4]"; and contains -- $line[-1] $fields[2] "-$fields[3]"
            for word in (string split ' ' -- $fields[4])
                _routevpn_expand $word ''
            end
            return
        end
    end
    for row in (string split \n -- $_routevpn_table)
        set -l fields (string split '|' -- $row)
        test "$fields[1]" = "$at" -a (count $fields) = 5; and _routevpn_expand $fields[2] $fields[5]
    end
end
complete -c routevpn -f -a '(_routevpn)'
