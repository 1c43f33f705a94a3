// Cairn: a self-hosted audit trail.
// SPDX-License-Identifier: Apache-2.0

// Who is calling, and may they?
//
// A request arrives as a `WireRequest`, exactly as it stood on the wire. It is read once, into an `RPCCall` or an
// `OSSRequest`, and the `Authenticator` says in an `AuthenticationVerdict` who sent it or why nobody is believed:
//
// ```swift
// let call = try RPCCall(request)                       // says which operation is meant
// switch try authenticator.authenticateRPC(call) {
// case .authenticated(let authentication): …            // authentication.caller
// case .refused(let failure): …                         // failure.code, failure.httpStatus
// }
// ```
//
// The signers, `RPCSigner` and `OSSSigner`, are the other end of the same wire. They build the text to be signed
// with the code that checks it, so the two cannot drift apart.
//
// The module knows no sockets, files or clocks: keys come from an `AccessKeyDirectory`, the time from a closure.
