export { startAnalytics, type AnalyticsConfig, type AnalyticsParts } from './service.ts';
