"""The embedded Pixapi: a real HTTP server on loopback, in a process of its own, that draws instead of paying.

``python -m pixapi_nb.local`` starts it. It speaks Pixapi's HTTP contract, so that everything above can be tried, taught
and tested without a key; what it draws is visibly a local sketch. It imports nothing else of pixapi_nb: a parser shared
with the client would hide the mistakes of both.

    catalogue, sizes, validate   what may be asked for, and what it costs (pure)
    schedule, store, studio      accepted work: when it runs, where it is kept, who draws it
    app, media, admin            the three faces: the API, the media host, the tests' back door
    faults, gate, journal        trouble on demand, and the record of every request
    server                       sockets, signals, start and stop
    art                          the painter, the editor and the film-maker (pure: a request in, bytes out)
"""
