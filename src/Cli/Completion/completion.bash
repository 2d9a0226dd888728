# Completion of sagas for bash: source <(sagas completion bash)

_sagas() {
    # The program completes a line that begins with its name, however it was typed.
    local line="sagas${COMP_LINE#"${COMP_WORDS[0]}"}"
    local position=$((COMP_POINT - ${#COMP_WORDS[0]} + 5))
    local word="${COMP_WORDS[COMP_CWORD]}" suggestion
    COMPREPLY=()
    while IFS= read -r suggestion; do
        if [[ -n $suggestion && $suggestion == "$word"* ]]; then
            COMPREPLY+=("$suggestion")
        fi
    done < <("${COMP_WORDS[0]/#\~/$HOME}" "[suggest:$position]" "$line" 2>/dev/null)
}

# Where the program suggests nothing, names of files.
complete -o default -F _sagas sagas ./sagas
