#!/usr/bin/env bash
# Builds the package in /root/build. scripts/booted.sh runs it in the system of the machines. Link-time
# optimisation would take most of the time and changes nothing that the checks see.
set -euo pipefail

export CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_BASEDIR=$PWD
cmake -G Ninja -S . -B /root/build -DCMAKE_BUILD_TYPE=Release -DROUTEVPN_TESTS=OFF \
  -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=0
nice -n 19 cmake --build /root/build --target package
