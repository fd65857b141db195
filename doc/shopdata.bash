# bash completion of shopdata(1)

_shopdata_options() {
    case $1 in
    explain) echo --policy --tag --file --help ;;
    top) echo --interval --once --help ;;
    check | invalidate) echo --help ;;
    esac
}

# The names of the policies that a configuration among the words has.
_shopdata_policies() {
    local word
    echo default
    for word in "${COMP_WORDS[@]:2}"; do
        [ -f "$word" ] && sed -n 's/^[[:space:]]*\[policy[[:space:]]\{1,\}\([A-Za-z0-9_-]*\)\].*/\1/p' "$word"
    done
}

_shopdata() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W 'check explain invalidate top --help --version' -- "$word")
    elif [ "$before" = --policy ]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_shopdata_policies)" -- "$word")
    elif [ "$before" = --file ]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    elif [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_shopdata_options "$command")" -- "$word")
    elif [ "$command" != top ]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    fi
}

complete -o filenames -F _shopdata shopdata
