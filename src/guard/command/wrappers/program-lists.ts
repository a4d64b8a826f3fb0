/** Names as tableName gives them, in lines rather than one a line: they are data. */
function list(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}

/** Programs that run a text, a file or an input of theirs as code, whatever their options. */
export const INTERPRETERS = list(`
  python pypy ipython perl ruby irb node nodejs deno bun tsx ts-node php lua luajit tclsh wish expect r
  rscript julia groovy scala kotlin java jshell guile racket sbcl clisp ghci runghc runhaskell ocaml erl
  elixir iex swift osascript gdb lldb sqlite3 psql mysql mariadb mongosh redis-cli octave gnuplot vi vim
  vimdiff nvim view rvim ex ed red emacs emacsclient nano pico joe m4 bc dc wasmtime cscript wscript
`);

/** Programs that do what files of the workspace, packages or other machines say. */
export const BUILDERS = list(`
  make ninja cmake meson bazel buck scons ant mvn mvnw gradle gradlew sbt rake npm npx yarn pnpm pnpx bunx
  corepack lerna nx turbo grunt gulp just task pip pipx uv uvx poetry pdm hatch tox nox pytest conda mamba
  easy_install cargo rustc go gem bundle bundler composer mix rebar3 stack cabal dotnet nuget docker
  podman nerdctl buildah kubectl oc helm docker-compose vagrant terraform ansible ansible-playbook nix
  nix-shell nix-build guix flatpak snap apt apt-get dpkg dnf yum rpm apk pacman brew systemctl systemd-run
  crontab at batch tmux screen socat bwrap firejail proot lxc lxc-attach machinectl start-stop-daemon
  daemonize run-parts entr inotifywait watchexec nodemon pm2 direnv asdf mise gcc cc g++ c++ clang ld as
  dbus-send busctl xdg-open open x-terminal-emulator xterm mail mutt sendmail telnet valgrind perf
  xvfb-run byobu mosh rsh rlogin rexec dsh pdsh fabric fab salt puppet
`);
