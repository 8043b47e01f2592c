import type { Adapter, AdapterPayload } from 'oidc-provider';

/**
 * Keeps sessions, codes and tokens while the issuer runs (https://github.com/panva/node-oidc-provider, "adapter"). The
 * provider's own adapter is the same, and warns at each start that it is not for production.
 */
export function createMemoryAdapter(): (model: string) => Adapter {
  const stored = new Map<string, AdapterPayload>();
  return (model) => {
    const key = (id: string) => `${model}:${id}`;
    const get = (id: string) => {
      const found = stored.get(key(id));
      const isOver = found?.exp !== undefined && found.exp < Date.now() / 1000;
      return isOver ? undefined : found;
    };
    const findBy = (member: 'uid' | 'userCode', value: string) =>
      [...stored].find(([id, payload]) => id.startsWith(`${model}:`) && payload[member] === value)?.[1];
    return {
      upsert: async (id, payload) => void stored.set(key(id), payload),
      find: async (id) => get(id),
      findByUid: async (uid) => findBy('uid', uid),
      findByUserCode: async (userCode) => findBy('userCode', userCode),
      consume: async (id) => {
        const found = get(id);
        if (found) stored.set(key(id), { ...found, consumed: Math.floor(Date.now() / 1000) });
      },
      destroy: async (id) => void stored.delete(key(id)),
      revokeByGrantId: async (grantId) => {
        for (const [id, payload] of stored) if (payload.grantId === grantId) stored.delete(id);
      },
    };
  };
}
