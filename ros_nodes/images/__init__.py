"""Images become named numbers: features, computed beside the event loop.

An image never travels in a window. What a model sees of a camera are numbers such as
its mean or its sharpness, or what a plant's own function makes of it.
"""

from ros_nodes.images.decode import ImageError, decoder
from ros_nodes.images.features import GROUP, Feature, features_named
from ros_nodes.images.reducer import Reducer

__all__ = ["GROUP", "Feature", "ImageError", "Reducer", "decoder", "features_named"]
