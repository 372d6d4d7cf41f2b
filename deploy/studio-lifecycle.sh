#!/bin/bash
# Lifecycle configuration for a JupyterLab space of SageMaker Studio: starts agentcore-session-binding with the space.
# Once, from a terminal of the space: put the package (npm pack) into the home directory. It outlives the space's app.
# Studio gives a lifecycle configuration five minutes, so this installs once and does not wait for the service.
set -euo pipefail

package=(~/agentcore-session-binding-*.tgz)
folder=~/.agentcore-session-binding
command=$folder/node_modules/.bin/agentcore-session-binding

# 20.19 or newer; the image's own may be older, and its updates of Python packages must not take it along.
is_new_enough() {
  "$1" -e 'const [major, minor] = process.versions.node.split(".").map(Number);
    process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)' 2>/dev/null
}
if ! is_new_enough node; then
  export PATH=$folder/node/bin:$PATH
  is_new_enough node || conda create --quiet --yes --prefix "$folder/node" --channel conda-forge 'nodejs=24'
fi

# Again for a newer package; npm says what it does not like in the log of the lifecycle configuration.
if [[ ! -e $command || ${package[-1]} -nt $command ]]; then
  npm install --prefix "$folder" --no-audit --no-fund --ignore-scripts "${package[-1]}"
  touch "$(readlink -f "$command")"
fi

# For terminals and kernels of this space: get_oauth2_callback_url of the Python module asks this command.
mkdir -p ~/.local/bin
ln -sf "$command" ~/.local/bin/

# A terminal sends its own away with SIGHUP. One user's file: its lines name that user by digests only.
nohup setsid "$command" serve >>"$folder/service.log" 2>&1 </dev/null &
echo "agentcore-session-binding starts; its log is $folder/service.log"
