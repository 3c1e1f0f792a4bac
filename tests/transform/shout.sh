#!/bin/sh
# A transformer of tests: capitals.
exec tr a-z A-Z
