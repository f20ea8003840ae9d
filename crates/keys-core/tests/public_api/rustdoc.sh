#!/bin/sh
# rustdoc, allowed to write its JSON with a stable compiler. Set for rustdoc alone: build scripts look
# at this variable, and would be run and compiled again.
RUSTC_BOOTSTRAP=1 exec rustdoc "$@"
