"""3D files written for the tests: 3MF and OBJ by hand, so that every lie can be told in them."""

from __future__ import annotations

import io
import zipfile

import numpy as np

CORE = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
PRODUCTION = "http://schemas.microsoft.com/3dmanufacturing/production/2015/06"
MODEL = "3D/3dmodel.model"


def box(x: float = 20, y: float = 20, z: float = 20) -> np.ndarray:
    """Return a box from the origin, (12, 3, 3), wound outwards."""
    corners = np.array([[i, j, k] for i in (0, x) for j in (0, y) for k in (0, z)], dtype=float)
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    return corners[[half for a, b, c, d in quads for half in ((a, b, c), (a, c, d))]]


def mesh_xml(triangles: np.ndarray) -> str:
    """Return the <mesh> of triangles."""
    corners = "".join(f'<vertex x="{x}" y="{y}" z="{z}"/>' for x, y, z in triangles.reshape(-1, 3))
    faces = "".join(f'<triangle v1="{3 * n}" v2="{3 * n + 1}" v3="{3 * n + 2}"/>' for n in range(len(triangles)))
    return f"<mesh><vertices>{corners}</vertices><triangles>{faces}</triangles></mesh>"


def model_xml(objects: str, items: str, unit: str = "millimeter", before: str = "") -> str:
    """Return a whole model file."""
    return (
        f'<?xml version="1.0"?>{before}<model unit="{unit}" xmlns="{CORE}" xmlns:p="{PRODUCTION}">'
        f"<resources>{objects}</resources><build>{items}</build></model>"
    )


def one_object(triangles: np.ndarray, unit: str = "millimeter", item: str = "") -> str:
    """Return a model with one object, placed as `item` says."""
    return model_xml(f'<object id="1">{mesh_xml(triangles)}</object>', f'<item objectid="1" {item}/>', unit)


def packed(files: dict[str, str | bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a ZIP of files."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def three_mf(model: str, **others: str) -> bytes:
    """Return a 3MF file with a model; `others` are object files that it refers to."""
    return packed(
        {"[Content_Types].xml": "<Types/>", MODEL: model, **{f"3D/Objects/{n}.model": x for n, x in others.items()}}
    )


def obj(triangles: np.ndarray) -> bytes:
    """Return triangles as an OBJ file."""
    corners = "".join(f"v {x} {y} {z}\n" for x, y, z in triangles.reshape(-1, 3))
    return (corners + "".join(f"f {n} {n + 1} {n + 2}\n" for n in range(1, 3 * len(triangles), 3))).encode()
