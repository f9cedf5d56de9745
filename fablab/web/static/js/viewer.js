// `[data-viewer]`: a rotating preview of an STL, standing on the bed of the printer. Without WebGL the text stays.
import {
  BufferGeometry,
  CircleGeometry,
  Color,
  DirectionalLight,
  Float32BufferAttribute,
  HemisphereLight,
  LineBasicMaterial,
  LineSegments,
  Mesh,
  MeshBasicMaterial,
  MeshStandardMaterial,
  OrbitControls,
  PerspectiveCamera,
  Scene,
  STLLoader,
  WebGLRenderer,
} from "../vendor/three-stl.js";

const GRID_MM = 10;
const TURN = Math.PI / 24;

/** Load the model of `element` and show it. */
export async function show(element) {
  const geometry = await new STLLoader().loadAsync(element.dataset.viewer);
  const renderer = new WebGLRenderer({ antialias: true, alpha: true });
  const scene = new Scene();
  scene.add(new HemisphereLight(0xffffff, 0x8890a0, 2.1));
  const sun = new DirectionalLight(0xffffff, 2.2);
  sun.position.set(-80, -120, 220);
  scene.add(sun);

  const material = new MeshStandardMaterial({ roughness: 0.62, metalness: 0.02, flatShading: true });
  const size = stand(geometry);
  scene.add(new Mesh(geometry, material), shadow(size));
  const grid = bed(element.dataset.bed.split(" ").map(Number));
  scene.add(grid);
  colour(element, material, grid.material);

  const reach = Math.hypot(size.x, size.y, size.z) || 1;
  const camera = new PerspectiveCamera(32, 1, reach / 50, reach * 60);
  camera.up.set(0, 0, 1);
  camera.position.set(reach * 0.95, -reach * 1.35, reach * 0.95);
  const controls = new OrbitControls(camera, renderer.domElement);
  controls.target.set(0, 0, size.z / 2);
  controls.enableDamping = true;
  controls.autoRotate = !matchMedia("(prefers-reduced-motion: reduce)").matches;
  controls.autoRotateSpeed = 1.4;
  controls.maxPolarAngle = Math.PI * 0.52;
  controls.addEventListener("start", () => {
    controls.autoRotate = false;
  });

  element.append(renderer.domElement);
  element.dataset.viewerState = "ready";
  const stop = follow(element, renderer, camera, () => {
    controls.update();
    renderer.render(scene, camera);
  });
  element.addEventListener("keydown", (event) => turn(event, controls, camera));
  new MutationObserver(() => colour(element, material, grid.material)).observe(element, {
    attributes: true,
    attributeFilter: ["data-colour"],
  });
  document.addEventListener("change", ({ target }) => {
    if (target.dataset.partColour) {
      element.dataset.colour = target.dataset.partColour;
    }
  });
  addEventListener("pagehide", stop, { once: true });
}

/** Put the part in the middle, on the bed; return its size. */
function stand(geometry) {
  geometry.computeBoundingBox();
  const { min, max } = geometry.boundingBox;
  geometry.translate(-(min.x + max.x) / 2, -(min.y + max.y) / 2, -min.z);
  geometry.computeVertexNormals();
  return max.clone().sub(min);
}

function shadow(size) {
  const material = new MeshBasicMaterial({ color: 0x000000, transparent: true, opacity: 0.1, depthWrite: false });
  const disc = new Mesh(new CircleGeometry(0.62, 48), material);
  disc.scale.set(size.x, size.y, 1);
  disc.position.z = 0.02;
  return disc;
}

function bed([width, depth]) {
  const points = [];
  for (let x = 0; x <= width; x += GRID_MM) {
    points.push(x - width / 2, -depth / 2, 0, x - width / 2, depth / 2, 0);
  }
  for (let y = 0; y <= depth; y += GRID_MM) {
    points.push(-width / 2, y - depth / 2, 0, width / 2, y - depth / 2, 0);
  }
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new Float32BufferAttribute(points, 3));
  return new LineSegments(geometry, new LineBasicMaterial({ transparent: true, opacity: 0.7 }));
}

function colour(element, part, grid) {
  const style = getComputedStyle(element);
  part.color = new Color(element.dataset.colour || style.getPropertyValue("--viewer-part").trim());
  grid.color = new Color(style.getPropertyValue("--viewer-grid").trim());
}

/** Draw while the element is in sight and in the page, in its size; return how to stop. */
function follow(element, renderer, camera, draw) {
  const fit = () => {
    const { clientWidth, clientHeight } = element;
    renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    renderer.setSize(clientWidth, clientHeight, false);
    camera.aspect = clientWidth / Math.max(1, clientHeight);
    camera.updateProjectionMatrix();
  };
  fit();
  const sizes = new ResizeObserver(fit);
  const sight = new IntersectionObserver(([entry]) => renderer.setAnimationLoop(entry.isIntersecting ? draw : null));
  sizes.observe(element);
  sight.observe(element);
  return () => {
    sizes.disconnect();
    sight.disconnect();
    renderer.setAnimationLoop(null);
    renderer.dispose();
  };
}

function turn(event, controls, camera) {
  const steps = { ArrowLeft: -TURN, ArrowRight: TURN };
  if (!(event.key in steps)) {
    return;
  }
  event.preventDefault();
  controls.autoRotate = false;
  const { x, y } = camera.position;
  const [cos, sin] = [Math.cos(steps[event.key]), Math.sin(steps[event.key])];
  camera.position.set(x * cos - y * sin, x * sin + y * cos, camera.position.z);
}
