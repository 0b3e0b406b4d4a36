"""Tests of the embedded Pixapi, as a process met over sockets and as a painter."""
