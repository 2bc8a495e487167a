# SPDX-License-Identifier: MIT
# bash completion for pawl(1)
_pawl() {
    local cur prev command opts
    cur=${COMP_WORDS[COMP_CWORD]}
    prev=${COMP_WORDS[COMP_CWORD - 1]}
    command=${COMP_WORDS[1]}
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "push work list show info queue \
            retry cancel reload flush doctor help --version --help" -- "$cur")
        return
    fi
    case $prev in
    --state)
        mapfile -t COMPREPLY < <(compgen -W "waiting delayed reserved timeout \
            failed done cancelled" -- "$cur")
        return
        ;;
    --channel)
        mapfile -t COMPREPLY < <(compgen -W "timeout failed cancelled \
            timeout,failed" -- "$cur")
        return
        ;;
    --durability)
        mapfile -t COMPREPLY < <(compgen -W "power process" -- "$cur")
        return
        ;;
    --file)
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return
        ;;
    esac
    case $command in
    push) opts="--delay --at --priority --max-attempts --timeout --unique
        --unique-for --backoff-floor --backoff-ceiling --lines --file --count
        --durability" ;;
    work) opts="--threads --drain --grace --keep-output --" ;;
    list) opts="--state --type --limit --after --newest --json" ;;
    show) opts="--json --payload" ;;
    info) opts="--json --prometheus --watch" ;;
    doctor) opts="--json" ;;
    reload | flush) opts="--channel" ;;
    *) opts= ;;
    esac
    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$opts --help" -- "$cur")
    elif [ "$COMP_CWORD" -eq 2 ]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    fi
}
complete -o filenames -F _pawl pawl
