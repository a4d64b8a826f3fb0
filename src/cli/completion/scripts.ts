import type { Shell } from './complete.ts';

/** The script that a shell reads to complete `q workflow` and `q-workflow`. It asks the command that is being written. */
export function completionScript(shell: Shell): string {
  return { bash: BASH, zsh: ZSH, fish: FISH }[shell].trim();
}

/** How a person turns it on for good. */
export const TURN_ON: Readonly<Record<Shell, string>> = {
  bash: 'eval "$(q workflow completion bash)"   # in ~/.bashrc',
  zsh: 'eval "$(q workflow completion zsh)"   # in ~/.zshrc, after compinit',
  fish: 'q workflow completion fish | source   # in ~/.config/fish/config.fish',
};

/** `q` may be another program's with a completion of its own: that one goes on for all but `q workflow`. */
const BASH = String.raw`
# completion of q workflow and q-workflow for bash
_q_workflow() {
  local cur=\${COMP_WORDS[COMP_CWORD]} line value
  if [[ \${COMP_WORDS[0]##*/} == q && ( $COMP_CWORD -eq 1 || \${COMP_WORDS[1]} != workflow ) ]]; then
    COMPREPLY=()
    [[ -n $_q_workflow_before ]] && "$_q_workflow_before" "$@"
    [[ $COMP_CWORD -eq 1 && workflow == "$cur"* ]] && COMPREPLY+=(workflow)
    return 0
  fi
  [[ $cur == [=:] || $cur == :: ]] && cur=
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :files) compopt -o filenames 2>/dev/null; while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -f -- "$cur") ;;
      :folders) compopt -o filenames 2>/dev/null; while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -d -- "$cur") ;;
      *)
        printf -v value %q "\${line%%$'\t'*}"; COMPREPLY+=("$value")
        [[ $value == *= ]] && compopt -o nospace 2>/dev/null
        ;;
    esac
  done < <("\${COMP_WORDS[0]}" workflow __complete bash -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
_q_workflow_before=$(complete -p q 2>/dev/null | sed -n 's/.*-F \([^ ]*\).*/\1/p')
[[ $_q_workflow_before == _q_workflow ]] && _q_workflow_before=
complete -F _q_workflow q q-workflow
`.replaceAll('\\$', '$');

const ZSH = String.raw`
#compdef q q-workflow
# completion of q workflow and q-workflow for zsh
_q_workflow() {
  if [[ \${words[1]:t} == q && ( $CURRENT -eq 2 || \${words[2]} != workflow ) ]]; then
    [[ -n $_q_workflow_before && $_q_workflow_before != _q_workflow ]] && $_q_workflow_before "$@"
    (( CURRENT == 2 )) && compadd -- workflow
    return
  fi
  local line value text
  local -a values shown end
  for line in "\${(@f)$("\${(Q)words[1]}" workflow __complete zsh -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
    case $line in
      '') ;;
      :files) _files ;;
      :folders) _files -/ ;;
      *)
        value=\${line%%$'\t'*} text=\${line#*$'\t'}
        values+=("$value")
        shown+=("$value\${text:+  -- $text}")
        [[ $value == *= ]] && end=(-S '')
        ;;
    esac
  done
  (( \${#values} )) && compadd "\${end[@]}" -l -d shown -a values
}
_q_workflow_before=\${_comps[q]}
compdef _q_workflow q q-workflow
`.replaceAll('\\$', '$');

const FISH = `
# completion of q workflow and q-workflow for fish
function __q_workflow_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  for line in ($words[1] workflow __complete fish -- $words[2..-1] "$current" 2>/dev/null)
    switch $line
      case ':files'
        __fish_complete_path "$current"
      case ':folders'
        __fish_complete_directories "$current"
      case '*'
        echo $line
    end
  end
end
function __q_workflow_is_ours
  set -l words (commandline -opc)
  test (count $words) -ge 2; and test "$words[2]" = workflow
end
function __q_workflow_is_first
  test (count (commandline -opc)) -eq 1
end
complete -c q -n __q_workflow_is_first -a workflow -d 'Run and watch workflows'
complete -c q -n __q_workflow_is_ours -f -a '(__q_workflow_complete)'
complete -c q-workflow -f -a '(__q_workflow_complete)'
`;
