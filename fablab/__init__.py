"""The software a fablab runs its 3D printers with."""

__version__ = "0.1.0"
