//! How to talk to each network: the channel contract and one folder per channel.
