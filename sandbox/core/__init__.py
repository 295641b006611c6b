"""The SMS domain, pure: values in, values out; no I/O, no clock, no state outside what is passed in."""
