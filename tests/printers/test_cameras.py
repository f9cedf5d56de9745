"""The picture of a camera: from where printers may live, not too large, and nothing but a picture."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from fablab.errors import Problem
from fablab.printers import PRIVATE_NETWORKS, cameras
from fablab.printers.addresses import BadAddress

JPEG = b"\xff\xd8\xff\xe0 a picture"


class Camera(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        status, content = self.server.answer
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/webcam/?action=snapshot")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_args):
        pass


@pytest.fixture
def camera():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Camera)
    server.answer, server.asked = (200, JPEG), []
    server.address = f"http://127.0.0.1:{server.server_port}/webcam/?action=snapshot"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def test_the_picture_is_fetched_with_its_path_and_query(camera):
    picture = cameras.fetch(camera.address, PRIVATE_NETWORKS)
    assert (picture.content, picture.mime_type) == (JPEG, "image/jpeg")
    assert camera.asked == ["/webcam/?action=snapshot"]


@pytest.mark.parametrize(
    "answer",
    [
        (200, b"<html>no picture</html>"),
        (200, b"<svg><script/></svg>"),
        (302, b""),
        (500, JPEG),
        (200, JPEG + bytes(cameras.LARGEST_BYTES)),
    ],
    ids=["a page", "a drawing", "elsewhere", "an error", "too large"],
)
def test_what_is_no_small_picture_is_refused(camera, answer):
    camera.answer = answer
    with pytest.raises(Problem):
        cameras.fetch(camera.address, PRIVATE_NETWORKS)
    assert len(camera.asked) == 1


def test_a_camera_lives_where_printers_may(camera):
    with pytest.raises(BadAddress):
        cameras.fetch(camera.address, ("10.0.0.0/8",))
    with pytest.raises(BadAddress):
        cameras.fetch("http://user:secret@127.0.0.1/", PRIVATE_NETWORKS)
    assert camera.asked == []


def test_a_camera_that_is_off_is_a_problem_in_words(camera):
    camera.shutdown()
    camera.server_close()
    with pytest.raises(Problem, match="camera does not answer"):
        cameras.fetch(camera.address, PRIVATE_NETWORKS)


def test_the_drawing_grows_with_the_print():
    beginning, end = cameras.drawn(None), cameras.drawn(1.5)
    assert beginning.mime_type == "image/svg+xml"
    assert b"v-0.0h" in beginning.content
    assert b"v-92.0h" in end.content
