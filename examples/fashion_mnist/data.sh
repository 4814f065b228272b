#!/bin/sh
# Fashion-MNIST from the Debian package dataset-fashion-mnist: installed where that is allowed, unpacked into
# build/fashion-mnist where it is not. Does nothing when the files are there.
set -eu
cd "$(dirname "$0")/../.."
installed=/usr/share/datasets/fashion-mnist
unpacked=build/fashion-mnist/usr/share/datasets/fashion-mnist
package=dataset-fashion-mnist

complete() { [ "$(ls "$1"/*-ubyte.gz 2>/dev/null | wc -l)" = 4 ]; }
if complete $installed || complete $unpacked; then exit 0; fi

command -v apt-get >/dev/null || {
  echo "$package: no apt-get here. Put the four *-ubyte.gz files of Fashion-MNIST into $unpacked" >&2
  exit 1
}
if [ "$(id -u)" = 0 ]; then root=""; else root="sudo -n"; fi
if [ -z "$root" ] || sudo -n true 2>/dev/null; then
  $root apt-get install --yes --no-install-recommends $package && exit 0
  $root apt-get update && $root apt-get install --yes --no-install-recommends $package && exit 0
fi
mkdir -p build/fashion-mnist
cd build/fashion-mnist
apt-get download $package
dpkg -x $package*.deb .
rm $package*.deb
