import { DefaultDeviceController, type Logger } from 'amazon-chime-sdk-js';

/** The elements that show and choose devices. */
export interface DeviceElements {
  microphone: HTMLSelectElement;
  camera: HTMLSelectElement;
  speaker: HTMLSelectElement;
  preview: HTMLVideoElement;
  cameraOff: HTMLElement;
}

/**
 * Requests the devices, lists them and shows the camera.
 *
 * @returns what is missing, in plain words; undefined if nothing is
 */
export async function showDevices(
  controller: DefaultDeviceController,
  elements: DeviceElements,
): Promise<string | undefined> {
  const missing = await askForPermission(controller);
  fill(elements.microphone, await controller.listAudioInputDevices(), 'No microphone');
  fill(elements.camera, await controller.listVideoInputDevices(), 'No camera');
  fill(elements.speaker, await controller.listAudioOutputDevices(), 'Default speaker');
  elements.microphone.onchange = () => startMicrophone(controller, elements);
  elements.camera.onchange = () => startCamera(controller, elements);
  await startMicrophone(controller, elements);
  await startCamera(controller, elements);
  return missing;
}

/** Without a camera, or permission to use one, people still join with sound. */
async function askForPermission(controller: DefaultDeviceController): Promise<string | undefined> {
  const attempts: [MediaStreamConstraints, string | undefined][] = [
    [{ audio: true, video: true }, undefined],
    [{ audio: true }, 'There is no camera, or this page may not use it.'],
  ];
  for (const [constraints, missing] of attempts) {
    try {
      const stream = await navigator.mediaDevices.getUserMedia(constraints);
      for (const track of stream.getTracks()) track.stop();
      controller.setDeviceLabelTrigger(async () => new MediaStream());
      return missing;
    } catch {
      // The next attempt requests less.
    }
  }
  controller.setDeviceLabelTrigger(async () => new MediaStream());
  return 'There is no microphone, or this page may not use it: allow it beside the address, then reload.';
}

function fill(select: HTMLSelectElement, devices: MediaDeviceInfo[], none: string): void {
  const options = devices
    .filter(({ deviceId }) => deviceId !== '')
    .map(({ label, deviceId }) => new Option(label || 'Unnamed device', deviceId));
  select.replaceChildren(...(options.length > 0 ? options : [new Option(none, '')]));
  select.disabled = options.length === 0;
}

async function startMicrophone(
  controller: DefaultDeviceController,
  { microphone }: DeviceElements,
): Promise<void> {
  if (microphone.value !== '') await controller.startAudioInput(microphone.value);
}

async function startCamera(
  controller: DefaultDeviceController,
  { camera, preview, cameraOff }: DeviceElements,
): Promise<void> {
  if (camera.value !== '') {
    await controller.startVideoInput(camera.value);
    controller.startVideoPreviewForVideoInput(preview);
  }
  cameraOff.hidden = camera.value !== '';
}

export async function releaseDevices(
  controller: DefaultDeviceController,
  { preview }: DeviceElements,
): Promise<void> {
  controller.stopVideoPreviewForVideoInput(preview);
  await controller.stopVideoInput();
  await controller.stopAudioInput();
  await controller.destroy();
}

export function createDeviceController(logger: Logger): DefaultDeviceController {
  return new DefaultDeviceController(logger);
}
