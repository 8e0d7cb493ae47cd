#!/usr/bin/env docker
# syntax=docker/dockerfile:1
# sees: a
# args: none
FROM scratch
COPY a /
