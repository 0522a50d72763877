"""Tests of the rooms that let several machines work for one service."""
