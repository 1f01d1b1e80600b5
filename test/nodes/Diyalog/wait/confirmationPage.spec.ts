import { confirmationPage, PAGE_HEADERS } from '../../../../nodes/Diyalog/wait/confirmationPage';

it('shows the letters of a hostile label', () => {
	const html = confirmationPage('</button><script>alert("1")</script>\' onclick=\'x');
	expect(html).not.toContain('<script');
	expect(html).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39; onclick=&#39;x');
	expect(html.match(/<button/g)).toHaveLength(1);
});

it('lets nothing else be loaded, framed, stored or passed on', () => {
	expect(PAGE_HEADERS['Content-Security-Policy']).toContain("default-src 'none'");
	expect(PAGE_HEADERS['Content-Security-Policy']).toContain("frame-ancestors 'none'");
	expect(PAGE_HEADERS['Cache-Control']).toBe('no-store');
	expect(PAGE_HEADERS['Referrer-Policy']).toBe('no-referrer');
});
