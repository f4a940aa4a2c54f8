// Package testnet is a network to test on. Nothing but tests imports it; it imports
// tlv.
//
//	Impairment   what one direction of a link does to packets
//	Shaper       decides what becomes of each packet: no clock, goroutine or lock
//	Network      consumers, a shared link and a producer in memory, on the time of a
//	             testing/synctest bubble: a minute of 100 Mbit/s takes seconds
//	Content      a ready-made producer of any size, and the check of what arrived
//	Relay        the same impairments between two programs that speak UDP
//
// All chance comes from a seed: a Shaper that is offered the same packets at the same
// times decides the same, and so does a Network, with several consumers too, as long
// as its link has a Delay.
package testnet
