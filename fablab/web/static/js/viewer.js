// Shows the STL of a `[data-viewer]` element: the part stands on the bed, turns slowly, and is turned by hand or keys.
// The element's attributes say everything: `data-viewer` (address), `data-colour`, `data-bed` (mm); so do the custom
// properties `--viewer-part` and `--viewer-grid`. It draws only while it is in sight and something moves.
import {
  Mesh,
  MeshStandardMaterial,
  OrbitControls,
  PerspectiveCamera,
  Scene,
  STLLoader,
  WebGLRenderer,
} from "../vendor/three-stl.js";
import { addBed, addLights, paint } from "./viewer-scene.js";

const STEP = Math.PI / 24;
const ZOOM = 1.1;
const FIELD_OF_VIEW = 28;
const MARGIN = 1.06;
const KEYS = {
  ArrowLeft: (controls) => controls.rotateLeft(-STEP),
  ArrowRight: (controls) => controls.rotateLeft(STEP),
  ArrowUp: (controls) => controls.rotateUp(-STEP),
  ArrowDown: (controls) => controls.rotateUp(STEP),
  "+": (controls) => controls.dollyIn(1 / ZOOM),
  "-": (controls) => controls.dollyOut(1 / ZOOM),
};

/** Load the model of `element` and show it; raises when it cannot be loaded or drawn. */
export async function show(element) {
  const url = element.dataset.viewer;
  const geometry = await new STLLoader().loadAsync(url);
  if (!element.isConnected || element.dataset.viewer !== url) {
    return element.isConnected ? show(element) : undefined;
  }
  const renderer = new WebGLRenderer({ antialias: true, alpha: true });
  const stage = build(geometry, element.dataset.bed);
  const controls = arrange(stage, renderer.domElement);
  uncover(element, renderer.domElement);
  follow(element, renderer, stage, controls);
  element.dataset.viewerState = "ready";
}

/** The scene: the part in the middle of the bed, lit. */
function build(geometry, bed) {
  geometry.computeBoundingBox();
  const { min, max } = geometry.boundingBox;
  geometry.translate(-(min.x + max.x) / 2, -(min.y + max.y) / 2, -min.z);
  geometry.computeBoundingSphere();
  const size = max.clone().sub(min);
  const reach = Math.max(size.length() / 2, 1);
  const scene = new Scene();
  const part = new Mesh(geometry, new MeshStandardMaterial({ roughness: 0.5, metalness: 0, flatShading: true }));
  part.castShadow = true;
  part.receiveShadow = true;
  scene.add(part);
  addLights(scene, size, reach);
  const grid = addBed(scene, bed?.split(/\s+/).map(Number), reach);
  return { scene, part, grid, size, reach };
}

function arrange(stage, canvas) {
  const { size, reach } = stage;
  const camera = new PerspectiveCamera(FIELD_OF_VIEW, 1, reach / 20, reach * 80);
  camera.up.set(0, 0, 1);
  stage.camera = camera;
  const controls = new OrbitControls(camera, canvas);
  controls.target.set(0, 0, size.z / 2);
  camera.position.set(0.62, -1, 0.62).add(controls.target);
  controls.enableDamping = true;
  controls.enablePan = false;
  controls.autoRotateSpeed = 1.4;
  controls.maxPolarAngle = Math.PI * 0.54;
  controls.minDistance = reach * 1.3;
  controls.maxDistance = reach * 14;
  canvas.style.touchAction = "pan-y"; // a finger moves the page up and down and turns the part sideways
  return controls;
}

/** Put the canvas in the place of what stands in the element. */
function uncover(element, canvas) {
  for (const child of element.children) {
    child.hidden = true;
  }
  element.append(canvas);
}

/** Keep the picture in step with the element, the theme and the person, until the element is gone. */
function follow(element, renderer, stage, controls) {
  const ended = new AbortController();
  const { signal } = ended;
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let stale = true;
  let fitted = false;
  let last = null;

  const redraw = () => {
    stale = true;
  };
  const repaint = () => {
    paint(element, stage);
    redraw();
  };
  const still = () => {
    controls.autoRotate = false;
    fitted = true;
  };

  function draw(now) {
    const passed = last === null ? 0 : Math.min((now - last) / 1000, 0.1);
    last = now;
    if (controls.update(passed) || stale) {
      stale = false;
      renderer.render(stage.scene, stage.camera);
    }
  }

  function resize() {
    const { clientWidth: width, clientHeight: height } = element;
    renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    renderer.setSize(width, height, false);
    stage.camera.aspect = width / Math.max(1, height);
    stage.camera.updateProjectionMatrix();
    if (!fitted) {
      frame(stage, controls);
    }
    redraw();
    renderer.render(stage.scene, stage.camera); // a new size empties the canvas
  }

  function end() {
    ended.abort();
    for (const observer of [sizes, sight, attributes]) {
      observer.disconnect();
    }
    controls.dispose();
    stage.scene.traverse((each) => {
      each.geometry?.dispose();
      each.material?.dispose();
    });
    renderer.setAnimationLoop(null);
    renderer.dispose();
    renderer.forceContextLoss();
    renderer.domElement.remove();
  }

  const sizes = new ResizeObserver(resize);
  const sight = new IntersectionObserver(([entry]) => {
    if (!element.isConnected) {
      end();
      return;
    }
    last = null;
    renderer.setAnimationLoop(entry.isIntersecting ? draw : null);
  });
  const attributes = new MutationObserver((changes) => {
    if (changes.every(({ attributeName }) => attributeName === "data-colour")) {
      repaint();
      return;
    }
    end();
    show(element).catch(() => {
      for (const child of element.children) {
        child.hidden = false;
      }
      element.dataset.viewerState = "failed";
    });
  });

  renderer.shadowMap.enabled = true;
  renderer.shadowMap.autoUpdate = false; // the light and the part stand still, only the camera moves
  renderer.shadowMap.needsUpdate = true;
  controls.autoRotate = !calm.matches;
  repaint();
  resize();
  controls.addEventListener("start", still);
  calm.addEventListener("change", still, { signal });
  dark.addEventListener("change", repaint, { signal });
  element.addEventListener("keydown", (event) => turn(event, controls, still), { signal });
  element.addEventListener("wheel", (event) => leaveToPage(event, element), { capture: true, passive: true, signal });
  renderer.domElement.addEventListener("webglcontextrestored", () => {
    renderer.shadowMap.needsUpdate = true;
    redraw();
  });
  document.addEventListener("fragment:morphed", () => element.isConnected || end(), { signal });
  sizes.observe(element);
  sight.observe(element);
  attributes.observe(element, { attributeFilter: ["data-colour", "data-viewer", "data-bed"] });
}

/** Put the camera as near as the whole part allows, in a wide and in a narrow element. */
function frame({ camera, reach }, controls) {
  const half = (camera.fov / 2) * (Math.PI / 180);
  const narrow = Math.min(half, Math.atan(Math.tan(half) * camera.aspect));
  const away = camera.position.clone().sub(controls.target).normalize();
  camera.position.copy(controls.target).addScaledVector(away, (reach / Math.sin(narrow)) * MARGIN);
  controls.update();
}

function turn(event, controls, still) {
  const act = KEYS[event.key];
  if (act && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    still();
    act(controls);
  }
}

/** The wheel scrolls the page; it comes nearer only after the preview was clicked, or with Ctrl (a pinch). */
function leaveToPage(event, element) {
  if (!event.ctrlKey && !element.contains(document.activeElement)) {
    event.stopPropagation();
  }
}
