"""The sandbox: the three vendors' APIs as ASGI apps on loopback, written from their published documents.

``kalent``, ``clarky`` and ``topo`` (with ``topo_people``) have the endpoints, ``…_world`` their state, ``control``
the API that moves time and makes things happen, ``faults`` the faults that tests inject.
"""
