# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# An apt of our own, with the machine's mirror: packages of other suites and
# architectures, and the system's apt state is not touched.  Sourced, never run.

need xz xz-utils apt-get apt dpkg-deb dpkg tar tar

# The first Debian archive the machine itself uses.
mirror() {
	local uri
	uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' |
	      grep -v -e security | sort -u | head -n 1)
	[ -n "$uri" ] ||
		uri=$(grep -rhoE '^(URIs:|deb) .*' /etc/apt/sources.list /etc/apt/sources.list.d \
			2>/dev/null | grep -oE '[a-z+]+://[^ ]+/debian/?' | head -n 1)
	echo "$uri"
}

# own_apt_get WORD...: what it says is in a log, for the one who gives up
own_apt_get() { "${apt_get[@]}" "$@" >"$apt/log" 2>&1; }

# own_apt FOLDER ARCHITECTURE STATUS SUITE ...: set up and updated; $apt is its
# folder then, and "${apt_get[@]}" is apt-get.  STATUS says what is installed.
own_apt() {
	local uri suite architecture=$2 status=$3 keys=/usr/share/keyrings/debian-archive-keyring.gpg
	apt=$1
	shift 3
	uri=$(mirror)
	[ -n "$uri" ] || die "no Debian mirror in this machine's apt sources"
	mkdir -p "$apt"/{lists/partial,archives/partial,debs}
	for suite in "$@"; do
		echo "deb [signed-by=$keys arch=$architecture] $uri $suite main"
	done >"$apt/sources.list"
	apt_get=(apt-get -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
		 -o Dir::State::lists="$apt/lists" -o Dir::Cache="$apt" -o Dir::State::status="$status"
		 -o APT::Architecture="$architecture" -o APT::Architectures="$architecture"
		 -o Acquire::Languages=none -o APT::Sandbox::User=root -q)
	persist own_apt_get update || { tail "$apt/log" >&2; die "apt-get update failed"; }
}

# download FOLDER ARCHITECTURE SUITE PACKAGE...: these packages and all that they need, to
# "$apt"/archives/*.deb; nothing counts as installed.  Whoever calls it removes $apt.
download() {
	local folder=$1 architecture=$2 suite=$3
	shift 3
	mkdir -p "$folder"
	: >"$folder/status"
	own_apt "$folder" "$architecture" "$folder/status" "$suite"
	persist own_apt_get install --download-only --no-install-recommends -y "$@" ||
		{ tail "$apt/log" >&2; die "$* of $suite are not available for $architecture"; }
}
