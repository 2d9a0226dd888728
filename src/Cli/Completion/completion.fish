# Completion of sagas for fish: sagas completion fish > ~/.config/fish/completions/sagas.fish

function __sagas_complete
    set -l words (commandline --current-process --tokenize --cut-at-cursor)
    # The program completes a line that begins with its name, however it was typed.
    set -l line sagas (string sub --start (math (string length -- $words[1]) + 1) -- (commandline --current-process --cut-at-cursor))
    set -l line (string join '' -- $line)
    set -l suggestions ($words[1] "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null | string match '?*')
    if test (count $suggestions) -gt 0
        printf '%s\n' $suggestions
    else
        # Where the program suggests nothing, names of files.
        __fish_complete_path (commandline --current-token)
    end
end

complete --command sagas --no-files --arguments '(__sagas_complete)'
