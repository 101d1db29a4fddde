# For the scripts beside it, which source it in the root of the repository: the workspace's packages, in two parts.
# shellcheck shell=bash
#
#   guest_folders, guest_packages   what `transputer build` builds, for a target of its own
#   host_part                       what tells cargo to take everything else: with it every script builds the same
#                                   libraries with the same features, so that none is compiled twice

guest_folders=()
guest_packages=()
host_part=(--workspace)
while IFS= read -r manifest; do
    guest_folders+=("$(dirname "$manifest")")
    guest_packages+=("$(sed -n 's/^name = "\(.*\)"/\1/p' "$manifest" | head -n 1)")
    host_part+=(--exclude "${guest_packages[-1]}")
done < <(find examples tests guest-sdk host/benches -name Cargo.toml -not -path '*/target/*' -exec grep -l cdylib {} + | sort)
