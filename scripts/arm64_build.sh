#!/usr/bin/env bash
# Cross-builds the package and the unit tests of some rooms in /root/build: scripts/arm64_build.sh ROOM...
# scripts/arm64.sh runs it in the system that it made. The build runs the program for its completion files.
set -euo pipefail

export CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_BASEDIR=$PWD
export PKG_CONFIG_LIBDIR=/usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig
cmake -G Ninja -S . -B /root/build -DCMAKE_BUILD_TYPE=Release -DCMAKE_UNITY_BUILD=ON \
  -DCMAKE_UNITY_BUILD_BATCH_SIZE=0 -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 \
  -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ -DCMAKE_STRIP=/usr/bin/aarch64-linux-gnu-strip \
  -DCMAKE_CROSSCOMPILING_EMULATOR=qemu-aarch64 \
  -DCMAKE_LIBRARY_ARCHITECTURE=aarch64-linux-gnu -DCPACK_DEBIAN_PACKAGE_ARCHITECTURE=arm64
nice -n 19 cmake --build /root/build --target package "${@/#/unit_}"
