// What surrounds the part in the 3D preview: soft light, its shadow, and the grid of the bed.
import {
  BufferGeometry,
  Color,
  DirectionalLight,
  Float32BufferAttribute,
  HemisphereLight,
  LineBasicMaterial,
  LineSegments,
  Mesh,
  PlaneGeometry,
  ShadowMaterial,
  SRGBColorSpace,
} from "../vendor/three-stl.js";

const GRID_MM = 10;
const MAJOR = 5;
const DARKEST = 0.16;
const LIGHTEST = 0.9;

/** Light from the sky, a sun that casts the shadow, and a weak light from behind that shows the edges of dark parts. */
export function addLights(scene, size, reach) {
  const sun = new DirectionalLight(0xffffff, 2.3);
  sun.position.set(-reach * 1.6, -reach * 2, size.z / 2 + reach * 4);
  sun.target.position.set(0, 0, size.z / 2);
  sun.castShadow = true;
  sun.shadow.mapSize.set(1024, 1024);
  sun.shadow.radius = 6;
  sun.shadow.normalBias = reach * 0.01;
  const wide = reach * 1.9;
  Object.assign(sun.shadow.camera, { left: -wide, right: wide, top: wide, bottom: -wide, near: reach, far: reach * 9 });
  const rim = new DirectionalLight(0xffffff, 0.9);
  rim.position.set(reach * 2, reach * 2, reach * 1.2);
  scene.add(new HemisphereLight(0xffffff, 0x9aa2b0, 1.7), sun, sun.target, rim);
}

/** Add the shadow's ground and the grid of the bed (`[width, depth]` in mm, if known); the grid fades away from the part. */
export function addBed(scene, bed, reach) {
  const ground = new Mesh(new PlaneGeometry(reach * 12, reach * 12), new ShadowMaterial({ opacity: 0.22 }));
  ground.receiveShadow = true;
  scene.add(ground);
  const sides = bed?.slice(0, 2).map((side) => Math.max(side, 0) || 0) ?? [0, 0];
  const grid = new LineSegments(
    gridGeometry(...sides, reach),
    new LineBasicMaterial({ vertexColors: true, transparent: true, depthWrite: false }),
  );
  grid.position.z = -reach * 0.002;
  scene.add(grid);
  return grid;
}

function gridGeometry(width, depth, reach) {
  const near = reach * 1.1;
  const far = Math.max(reach * 5, 60);
  const points = [];
  const colours = [];
  const point = (x, y, strength) => {
    const distance = Math.hypot(x, y);
    const fade = 1 - Math.min(1, Math.max(0, (distance - near) / (far - near)));
    points.push(x, y, 0);
    colours.push(1, 1, 1, strength * fade * fade);
  };
  const lines = (length, other, put) => {
    for (const [place, strength] of marks(length)) {
      for (const [from, to] of pieces(other)) {
        put(place, from, strength);
        put(place, to, strength);
      }
    }
  };
  lines(width, depth, (across, along, strength) => point(across, along, strength));
  lines(depth, width, (across, along, strength) => point(along, across, strength));
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new Float32BufferAttribute(points, 3));
  geometry.setAttribute("color", new Float32BufferAttribute(colours, 4));
  return geometry;
}

/** Where the lines are, counted from the middle, and how strong: every fifth and the edges are stronger. */
function marks(length) {
  const found = [];
  const count = Math.floor(length / 2 / GRID_MM);
  for (let index = -count; length > 0 && index <= count; index += 1) {
    found.push([index * GRID_MM, index % MAJOR === 0 ? 1 : 0.5]);
  }
  return length > 0 ? [...found, [-length / 2, 1], [length / 2, 1]] : found;
}

function pieces(length) {
  const count = Math.max(1, Math.ceil(length / GRID_MM));
  const edge = (index) => (index / count - 0.5) * length;
  return Array.from({ length: count }, (_, index) => [edge(index), edge(index + 1)]);
}

/** Give part and grid the colours that the element asks for. */
export function paint(element, { part, grid }) {
  const style = getComputedStyle(element);
  const wanted = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise;
  part.material.color = shown(new Color(element.dataset.colour || wanted("--viewer-part", "#6c8ebf")));
  grid.material.color = new Color(wanted("--viewer-grid", "#888888"));
}

/** Black plastic is not black to the eye, nor is white paper-white: the shape must stay visible. */
function shown(colour) {
  const { h, s, l } = colour.getHSL({}, SRGBColorSpace);
  return colour.setHSL(h, s, Math.min(LIGHTEST, Math.max(DARKEST, l)), SRGBColorSpace);
}
