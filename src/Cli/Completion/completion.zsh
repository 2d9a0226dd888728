#compdef sagas
# Completion of sagas for zsh: source <(sagas completion zsh), after compinit

_sagas() {
    # The program completes a line that begins with its name, however it was typed.
    local line="sagas${BUFFER#$words[1]}"
    local position=$((CURSOR - ${#words[1]} + 5))
    local -a suggestions
    suggestions=("${(@f)$(${~words[1]} "[suggest:$position]" "$line" 2>/dev/null)}")
    suggestions=(${suggestions:#})
    # Where the program suggests nothing, names of files.
    compadd -a suggestions || _files
}

compdef _sagas sagas ./sagas
